import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

/** What happens when a backend says that it has too much to do. */
export const PressureOptions = Type.Object(
  {
    heed: Type.Boolean({
      default: true,
      description:
        'Leave a backend alone for as long as it asks for with 429, or with 503 and `retry-after`, and count neither as a failure',
    }),
    cap: milliseconds('The longest time that is granted', 10_000),
    byDefault: milliseconds('The time granted for 429 without a `retry-after` that can be read', 1000),
  },
  { ...strict, default: {} },
)
/** What happens when a backend says that it has too much to do. */
export type PressureOptions = Static<typeof PressureOptions>
