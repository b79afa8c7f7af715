import { faultsOf, milliseconds, shownKind, strict, withDefaults } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { defaultCalls } from './rate.ts'
import type { RateOptions as Options } from './rate-options.generated.ts'

const share = (description: string, byDefault: number) =>
  Type.Number({ exclusiveMinimum: 0, maximum: 1, default: byDefault, description: `${description} (above 0, up to 1)` })

/** The option `rate`, where it is not `false`. Its rule, and the shares, are Resilience4j's. */
export const RateOptions = Type.Object(
  {
    calls: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: defaultCalls,
      description: 'Window: this many latest requests',
    }),
    time: Type.Optional(
      milliseconds('Window: the requests that ended within this time; replaces `calls`', undefined, 10),
    ),
    minimumCalls: Type.Integer({
      minimum: 1,
      default: 20,
      description:
        'With fewer requests in the window the circuit stays closed; a full window of `calls` is always enough',
    }),
    failureShare: share('Opens at this share of failed requests', 0.5),
    slowShare: share('Opens at this share of slow requests', 1),
    slowAfter: milliseconds(
      'A request is slow if the response headers come later than this after the end of the request',
      0,
    ),
  },
  strict,
)
/** The option `rate`, in part. */
export type RateOptions = Options

/** The option `rate` with every default in place: the window is `time` if given, else `calls`. */
export type RateSettings = Static<typeof RateOptions>

/** Fills in defaults, in a copy; adds faults to `faults`. */
export function parseRate(given: unknown, place: string, faults: string[]): RateSettings | false {
  if (given === false) return false
  if (given === true) return withDefaults(RateOptions, {})
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    faults.push(`${place}: expected an object, true or false, got ${shownKind(given)}`)
    return false
  }
  const settings = withDefaults(RateOptions, given)
  faults.push(...faultsOf(RateOptions, settings, place))
  if (settings.time !== undefined && 'calls' in given) faults.push(`${place}: expected calls or time, not both`)
  return settings
}
