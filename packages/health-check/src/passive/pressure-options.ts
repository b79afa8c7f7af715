import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

/** What happens when a backend says that it has too much to do. */
export const PressureOptions = Type.Object(
  {
    heed: Type.Boolean({
      default: true,
      description:
        'Leave a backend alone for as long as it asks for with 429, or with 503 and `retry-after`; a 429 is then never a failure, a 503 only where no time is granted',
    }),
    cap: milliseconds('The longest time that is granted', 10_000),
    byDefault: milliseconds(
      'The time granted where `retry-after` cannot be read, and for 429 without one or with 0',
      1000,
    ),
  },
  { ...strict, default: {} },
)
/** What happens when a backend says that it has too much to do. */
export type PressureOptions = Static<typeof PressureOptions>
