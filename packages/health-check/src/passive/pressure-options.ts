import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

/** What happens when a backend says that it has too much to do. */
export const PressureOptions = Type.Object(
  {
    heed: Type.Union([Type.Literal('503'), Type.Literal('429-and-503'), Type.Literal(false)], {
      default: '503',
      description:
        "Which answers pause a backend for as long as they say: `'503'` with `retry-after`; `'429-and-503'`, if your backends say 429 when they are busy, as LLM servers do, and not to one client; `false` = none. A 429 is never a failure; a 503 is one unless it pauses the backend",
    }),
    cap: milliseconds('The longest pause that is granted', 10_000),
    byDefault: milliseconds(
      'The pause granted where `retry-after` cannot be read, and for a heeded 429 without one or with 0',
      1000,
    ),
  },
  {
    ...strict,
    default: {},
    description: 'What happens when a backend says that it has too much to do; `false` = nothing',
  },
)
/** What happens when a backend says that it has too much to do. */
export type PressureOptions = Static<typeof PressureOptions>
