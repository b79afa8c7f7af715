import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

export const HedgeOptions = Type.Object(
  {
    percentile: Type.Number({
      minimum: 50,
      maximum: 99.9,
      default: 95,
      description:
        'A request is slow when it has waited for response headers longer than this share of recent ones did (%)',
    }),
    minDelay: Type.Integer({
      minimum: 1,
      maximum: 60_000,
      default: 1,
      description: 'Shortest time until a request counts as slow (ms)',
    }),
    budget: Type.Object(
      {
        ratio: Type.Number({
          minimum: 0,
          maximum: 1,
          default: 0.05,
          description:
            'Hedging budget: second attempts allowed, as a share of the requests of the last 10 s that may be hedged',
        }),
        floor: Type.Number({
          minimum: 0,
          default: 0,
          description: 'Hedging budget: second attempts per second that are always allowed',
        }),
      },
      { ...strict, default: {}, description: 'Limit on all second attempts together' },
    ),
  },
  strict,
)
/** Which requests get a second attempt while their first is still running. */
export type HedgeOptions = Static<typeof HedgeOptions>
