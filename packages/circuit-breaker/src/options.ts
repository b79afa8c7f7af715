import { faultsOf, shownKind, strict } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import { CircuitSettings, parseSettings, type BackendCircuitOptions } from './backend/circuit-settings.ts'
import { BadOptionsError } from './errors.ts'
import type { CircuitBreakerOptions as Options } from './options.generated.ts'

/** Everything that `register` takes. The one source of type, validation, defaults and the README's table. */
export const CircuitBreakerOptions = Type.Object(
  {
    balancer: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Name of the balancer. Default: the one called `default`, or the only one',
      }),
    ),
    ...CircuitSettings.properties,
    backends: Type.Unsafe<Readonly<Record<string, BackendCircuitOptions | boolean>>>(
      Type.Record(Type.String(), Type.Any(), {
        default: {},
        description: 'Settings of individual backends, by id; `false` = no circuit',
      }),
    ),
  },
  strict,
)
/** What `register` takes: everything optional. */
export type CircuitBreakerOptions = Options

/** Options with every default in place. */
export interface ParsedOptions {
  readonly balancer: string | undefined
  readonly settings: CircuitSettings
  /** Settings of individual backends, by id; `false` = no circuit. */
  readonly backends: ReadonlyMap<string, CircuitSettings | false>
}

/** What the circuit of one backend goes by; false if it is to have none. */
export function settingsFor(id: string, { settings, backends }: ParsedOptions): CircuitSettings | false {
  return backends.get(id) ?? settings
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Fills in defaults, in a copy, and checks everything. */
export function readBreakerOptions(given: unknown): { readonly options: ParsedOptions; readonly faults: string[] } {
  const { balancer, backends: special = {}, ...base } = isPlain(given) ? given : {}
  const faults = isPlain(given) ? [] : [`expected an object, got ${shownKind(given)}`]
  const { properties } = CircuitBreakerOptions
  if (balancer !== undefined) faults.push(...faultsOf(properties.balancer, balancer, 'balancer'))
  const settings = parseSettings(base, {}, '', faults)
  const backends = new Map<string, CircuitSettings | false>()
  if (!isPlain(special)) faults.push(`backends: expected an object, got ${shownKind(special)}`)
  for (const [id, one] of Object.entries(isPlain(special) ? special : {})) {
    const place = `backends.${id}`
    if (one === false) backends.set(id, false)
    else if (isPlain(one)) backends.set(id, parseSettings(one, base, place, faults))
    else if (one === true) backends.set(id, parseSettings({}, base, place, faults))
    else faults.push(`${place}: expected an object, true or false, got ${shownKind(one)}`)
  }
  return { options: Object.freeze({ balancer: balancer as string | undefined, settings, backends }), faults }
}

/**
 * Fills in defaults, in a copy, and checks everything.
 * @throws BadOptionsError naming every fault at once
 */
export function parseOptions(given: CircuitBreakerOptions = {}): ParsedOptions {
  const { options, faults } = readBreakerOptions(given)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  return options
}

/**
 * Every fault of the options, one line each; for a caller that validates more than these and wants to report everything
 * at once.
 */
export function faultsOfOptions(given: CircuitBreakerOptions): readonly string[] {
  return readBreakerOptions(given).faults
}
