import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

/** How long requests take. */
export const ServingOptions = Type.Object(
  {
    distribution: Type.Union(
      ['exponential', 'constant', 'lognormal', 'pareto'].map((name) =>
        Type.Literal(name as 'exponential' | 'constant' | 'lognormal' | 'pareto'),
      ),
      {
        default: 'exponential',
        description:
          'How service times differ: `constant` = not at all, `exponential` = much, `lognormal` and `pareto` = a few take very long',
      },
    ),
    mean: Type.Number({ exclusiveMinimum: 0, default: 10, description: 'Average service time (ms)' }),
    sigma: Type.Number({
      exclusiveMinimum: 0,
      maximum: 5,
      default: 1,
      description: '`lognormal`: the standard deviation of the logarithm',
    }),
    shape: Type.Number({
      exclusiveMinimum: 1,
      default: 2,
      description: '`pareto`: the tail index; the nearer to 1, the longer the longest',
    }),
    range: Type.Optional(
      Type.Number({
        exclusiveMinimum: 1,
        description: '`pareto`: the longest service time, as a multiple of the shortest. Default: no limit',
      }),
    ),
  },
  { ...strict, default: {}, description: 'How long requests take once they have a place' },
)
/** How long requests take. */
export type ServingOptions = Static<typeof ServingOptions>
