import { faultsOf, milliseconds, strict, switched, withDefaults } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { circuitDefaults as defaults } from '../circuit/circuit-options.ts'
import { parseRate, type RateOptions, type RateSettings } from '../trip/rate-options.ts'
import type { BackendCircuitOptions as Options } from './circuit-settings.generated.ts'

const count = (description: string, byDefault: number, minimum: number) =>
  Type.Integer({ minimum, default: byDefault, description })

/** What may be said of all circuits, and of each by itself. */
export const CircuitSettings = Type.Object(
  {
    failures: count('Opens after so many failures in a row; 0 = never for that', defaults.failures, 0),
    window: milliseconds('Failures further apart than this do not count as consecutive', defaults.window),
    rate: Type.Unsafe<RateOptions | boolean>(
      Type.Any({
        default: false,
        description:
          'Opens also at a share of failures or slow attempts: `{ calls, time, minimumCalls, failureShare, slowShare, slowAfter }`',
      }),
    ),
    statuses: Type.Array(Type.Integer({ minimum: 200, maximum: 599 }), {
      default: [502, 503, 504],
      description:
        'Response statuses that count as failures; 503 with `retry-after` counts neither as success nor as failure, nor does 429 unless it is listed',
    }),
    openFor: milliseconds('How long it stays open the first time', defaults.openFor, 1),
    growth: Type.Number({
      minimum: 1,
      default: defaults.growth,
      description: 'Each further time in a row is this many times as long',
    }),
    maxOpenFor: milliseconds('No longer than this, unless `openFor` is longer', defaults.maxOpenFor, 1),
    jitter: Type.Number({
      minimum: 0,
      maximum: 1,
      default: defaults.jitter,
      description: 'Up to this share of that longer or shorter, at random',
    }),
    trials: count('Half-open: so many attempts at once', defaults.trials, 1),
    needed: count('Half-open: closes after so many successes', defaults.needed, 1),
    trialTimeout: milliseconds('Half-open: what takes longer has failed', defaults.trialTimeout),
  },
  strict,
)

/** What may be otherwise for one backend. */
export type BackendCircuitOptions = Options

/** What a circuit goes by, with every default in place. */
export type CircuitSettings = Readonly<Omit<Static<typeof CircuitSettings>, 'rate'>> & {
  readonly rate: RateSettings | false
}

const partialSettings = Type.Partial(CircuitSettings)

/** Adds what is wrong with `given` alone to `faults`; answers it over `base`, with defaults. */
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
