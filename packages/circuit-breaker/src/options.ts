import { faultsOf, milliseconds, strict, withDefaults, type Given } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { circuitDefaults as defaults } from './circuit/circuit-options.ts'
import { BadOptionsError } from './errors.ts'
import { parseRate, type RateOptions, type RateSettings } from './trip/rate-options.ts'

const count = (description: string, byDefault: number, minimum: number) =>
  Type.Integer({ minimum, default: byDefault, description })

/** What may be said of all circuits, and of each by itself. */
const settingsSchema = Type.Object(
  {
    failures: count('Opens after so many failures in a row; 0 = never for that', defaults.failures, 0),
    window: milliseconds('A failure this long after the one before begins a new row', defaults.window),
    rate: Type.Unsafe<RateOptions | false>(
      Type.Any({
        default: false,
        description:
          'Opens also at a share of failures or slow attempts: `{ calls, time, minimumCalls, failureShare, slowShare, slowAfter }`',
      }),
    ),
    statuses: Type.Array(Type.Integer({ minimum: 200, maximum: 599 }), {
      default: [502, 503, 504],
      description: 'Response statuses that count as failures; 503 with `retry-after` says nothing',
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

/** Everything that `register` takes. The one source of the type, the validation, the defaults and the README's table. */
export const CircuitBreakerOptions = Type.Object(
  {
    balancer: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'The name of the balancer; without it, the one called `default`, or the only one',
      }),
    ),
    ...settingsSchema.properties,
    backends: Type.Unsafe<Readonly<Record<string, BackendCircuitOptions | false>>>(
      Type.Record(Type.String(), Type.Any(), {
        default: {},
        description: 'Settings of single backends, by id; `false` = no circuit',
      }),
    ),
  },
  strict,
)
/** What `register` takes: everything optional. */
export type CircuitBreakerOptions = Partial<Static<typeof CircuitBreakerOptions>>

/** What may be otherwise for one backend. */
export type BackendCircuitOptions = Given<Static<typeof settingsSchema>>

/** What a circuit goes by, with every default in place. */
export type CircuitSettings = Readonly<Omit<Static<typeof settingsSchema>, 'rate'>> & {
  readonly rate: RateSettings | false
}

/** Options with every default in place. */
export interface ParsedOptions {
  readonly balancer: string | undefined
  readonly settings: CircuitSettings
  /** Those of single backends, by id; `false` = no circuit. */
  readonly backends: ReadonlyMap<string, CircuitSettings | false>
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const partialSettings = Type.Partial(settingsSchema)

/** Adds what is wrong with `given` alone to `faults`; answers it over `base`, with defaults. */
function parseSettings(
  given: Record<string, unknown>,
  base: Record<string, unknown>,
  place: string,
  faults: string[],
): CircuitSettings {
  faults.push(...faultsOf(partialSettings, given, place))
  const said = Object.entries(given).filter(([, value]) => value !== undefined)
  const settings = withDefaults(settingsSchema, { ...base, ...Object.fromEntries(said) })
  const rate = parseRate(settings.rate, place === '' ? 'rate' : `${place}.rate`, 'rate' in given ? faults : [])
  return Object.freeze({ ...settings, rate })
}

function read(given: unknown): { readonly options: ParsedOptions; readonly faults: string[] } {
  const { balancer, backends: special = {}, ...base } = isPlain(given) ? given : {}
  const faults = isPlain(given) ? [] : ['expected object']
  const { properties } = CircuitBreakerOptions
  if (balancer !== undefined) faults.push(...faultsOf(properties.balancer, balancer, 'balancer'))
  const settings = parseSettings(base, {}, '', faults)
  const backends = new Map<string, CircuitSettings | false>()
  if (!isPlain(special)) faults.push('backends: expected object')
  for (const [id, one] of Object.entries(isPlain(special) ? special : {})) {
    const place = `backends.${id}`
    if (one === false) backends.set(id, false)
    else if (isPlain(one)) backends.set(id, parseSettings(one, base, place, faults))
    else faults.push(`${place}: expected object or false`)
  }
  return { options: Object.freeze({ balancer: balancer as string | undefined, settings, backends }), faults }
}

/**
 * Fills in defaults, in a copy, and checks everything.
 * @throws BadOptionsError naming every fault at once
 */
export function parseOptions(given: CircuitBreakerOptions = {}): ParsedOptions {
  const { options, faults } = read(given)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  return options
}

/** Every fault of the options, one line each; for whoever checks more than these and wants to name all at once. */
export function faultsOfOptions(given: CircuitBreakerOptions): readonly string[] {
  return read(given).faults
}
