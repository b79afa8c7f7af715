import { faultsOf, milliseconds, strict, switched, withDefaults } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { circuitDefaults as defaults } from '../circuit/circuit-options.ts'
import { parseRate, type RateOptions, type RateSettings } from '../trip/rate-options.ts'
import type { BackendCircuitOptions as Options } from './circuit-settings.generated.ts'

const count = (description: string, byDefault: number, minimum: number) =>
  Type.Integer({ minimum, default: byDefault, description })

/** Settings of all circuits, or of one. */
export const CircuitSettings = Type.Object(
  {
    failures: count('Opens after this many failures in a row; 0 = off', defaults.failures, 0),
    window: milliseconds('Failures further apart than this do not count as consecutive', defaults.window),
    rate: Type.Unsafe<RateOptions | boolean>(
      Type.Any({
        default: false,
        description:
          'Also opens at a share of failed or slow requests: `{ calls, time, minimumCalls, failureShare, slowShare, slowAfter }`',
      }),
    ),
    statuses: Type.Array(Type.Integer({ minimum: 200, maximum: 599 }), {
      default: [502, 503, 504],
      description:
        'Response statuses that count as failures. A 503 with `Retry-After` counts neither as success nor as failure; nor does a 429, unless it is listed. A gRPC status counts as the HTTP status that means the same: `UNAVAILABLE` as 503, `INTERNAL`, `UNKNOWN` and `DATA_LOSS` as 500',
    }),
    openFor: milliseconds('How long the circuit stays open the first time', defaults.openFor, 1),
    growth: Type.Number({
      minimum: 1,
      default: defaults.growth,
      description: 'Each further opening in a row lasts this many times as long',
    }),
    maxOpenFor: milliseconds('Longest opening, unless `openFor` is longer', defaults.maxOpenFor, 1),
    jitter: Type.Number({
      minimum: 0,
      maximum: 1,
      default: defaults.jitter,
      description: 'Random variation of these times: 0.1 = ±10 %',
    }),
    trials: count('Half-open: trial requests at once', defaults.trials, 1),
    needed: count('Half-open: closes after this many successful trials', defaults.needed, 1),
    trialTimeout: milliseconds('Half-open: a trial that takes longer has failed', defaults.trialTimeout),
  },
  strict,
)

/** Settings of one backend that differ. */
export type BackendCircuitOptions = Options

/** Settings of a circuit with every default in place. */
export type CircuitSettings = Readonly<Omit<Static<typeof CircuitSettings>, 'rate'>> & {
  readonly rate: RateSettings | false
}

const partialSettings = Type.Partial(CircuitSettings)

/** Adds the faults of `given` to `faults`; returns it merged over `base`, with defaults. */
export function parseSettings(
  given: Record<string, unknown>,
  base: Record<string, unknown>,
  place: string,
  faults: string[],
): CircuitSettings {
  faults.push(...faultsOf(partialSettings, switched(partialSettings, { ...given }), place))
  const said = Object.entries(given).filter(([, value]) => value !== undefined)
  const settings = withDefaults(CircuitSettings, { ...base, ...Object.fromEntries(said) })
  const rate = parseRate(settings.rate, place === '' ? 'rate' : `${place}.rate`, 'rate' in given ? faults : [])
  return Object.freeze({ ...settings, rate })
}
