import { faultsOf, milliseconds, strict, withDefaults, type Given } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

const share = (description: string, byDefault: number) =>
  Type.Number({ exclusiveMinimum: 0, maximum: 1, default: byDefault, description: `${description} (above 0, up to 1)` })

/** The option `rate`, where it is not `false`. Its rule, and the shares, are Resilience4j's. */
export const RateOptions = Type.Object(
  {
    calls: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 100,
      description: 'The window: the last so many attempts',
    }),
    time: Type.Optional(
      Type.Integer({
        minimum: 10,
        maximum: 2_147_483_647,
        description: 'Or those of the last so many ms, in place of `calls`',
      }),
    ),
    minimumCalls: Type.Integer({
      minimum: 1,
      default: 20,
      description: 'Fewer attempts in the window decide nothing; as many as `calls` always do',
    }),
    failureShare: share('Opens at this share of failures', 0.5),
    slowShare: share('Opens at this share of slow attempts', 1),
    slowAfter: milliseconds('Slow is what takes longer from the end of the request to the headers of the response', 0),
  },
  strict,
)
/** The option `rate`, in part. */
export type RateOptions = Given<Static<typeof RateOptions>>

/** The option `rate` with every default in place: the window is `time`, where that is given, and `calls` otherwise. */
export type RateSettings = Readonly<Omit<Static<typeof RateOptions>, 'calls'>> & { readonly calls?: number }

/** Fills in defaults, in a copy; adds what is wrong to `faults`. */
export function parseRate(given: unknown, place: string, faults: string[]): RateSettings | false {
  if (given === false) return false
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    faults.push(`${place}: expected object or false`)
    return false
  }
  const filled = withDefaults(RateOptions, given)
  faults.push(...faultsOf(RateOptions, filled, place))
  if (filled.time === undefined) return filled
  if ('calls' in given) faults.push(`${place}: expected calls or time, not both`)
  const { calls: _unused, ...settings } = filled
  return settings
}
