import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

/** What happens when a backend says that it is overloaded. */
export const PressureOptions = Type.Object(
  {
    heed: Type.Union([Type.Literal('503'), Type.Literal('429-and-503'), Type.Literal(false)], {
      default: '503',
      description:
        "Which responses with `Retry-After` pause a backend for as long as they say: `'503'`; `'429-and-503'`, for backends that answer 429 when they are overloaded, as LLM servers do, rather than to one client; `false` = none. A 429 is never a failure; a 503 is one unless it pauses the backend",
    }),
    cap: milliseconds('Longest pause', 10_000),
    byDefault: milliseconds(
      'Pause for a `Retry-After` that cannot be parsed, and for a 429 (with `429-and-503`) without one or with 0',
      1000,
    ),
  },
  {
    ...strict,
    default: {},
    description: 'Pauses a backend that is overloaded and sends `Retry-After`; `false` = off',
  },
)
/** What happens when a backend says that it is overloaded. */
export type PressureOptions = Static<typeof PressureOptions>
