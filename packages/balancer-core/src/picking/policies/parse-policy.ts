import { faultsOf, nearName, shown, shownOptions, withDefaults } from '@fastify-balancer/option-schema'
import { isDeepStrictEqual } from 'node:util'
import type { Policy } from '../policy.ts'
import { Draws } from './draws.ts'
import { least } from './least.ts'
import type { NamedPolicies, NamedPolicy, PolicyParts } from './named-policy.ts'
import { roundRobin } from './round-robin.ts'
import { twoChoices } from './two-choices.ts'
import { WeightLine } from './weights.ts'

/** A policy that an option means, not yet made. */
export interface ParsedPolicy {
  readonly name: string
  /** With defaults; of the user's own policy, undefined. */
  readonly settings: Readonly<Record<string, unknown>> | undefined
  /** The same as plain data without secrets, to be shown. */
  readonly shown: Readonly<Record<string, unknown>>
  /** `random` returns 0 ≤ x < 1. */
  readonly make: (random: () => number) => Policy
}

/** Would both choose in the same way? Then the one in force may go on, with what it has learnt. */
export function arePoliciesEqual(one: ParsedPolicy, other: ParsedPolicy): boolean {
  return one.make === other.make || (one.name === other.name && areSettingsEqual(one.settings, other.settings))
}

function areSettingsEqual(one: ParsedPolicy['settings'], other: ParsedPolicy['settings']): boolean {
  return one !== undefined && other !== undefined && isDeepStrictEqual(one, other)
}

/** The user's own policy stays the same one, however often its option is read. */
const ownPolicies = new WeakMap<object, ParsedPolicy>()

function ownPolicy(policy: Policy): ParsedPolicy {
  const known = ownPolicies.get(policy)
  if (known !== undefined) return known
  const parsed = { name: policy.name, settings: undefined, shown: {}, make: () => policy }
  ownPolicies.set(policy, parsed)
  return parsed
}

/** In place of one that could not be read. */
const anyPolicy: ParsedPolicy = { name: 'round-robin', settings: {}, shown: {}, make: () => roundRobin() }

function unknownPolicy(option: unknown, names: readonly string[], place: string): string {
  const { name } = (typeof option === 'object' ? (option ?? {}) : {}) as { readonly name?: unknown }
  const given = typeof name === 'string' ? name : option
  const near = typeof given === 'string' ? nearName(given, names) : undefined
  const hint = near === undefined ? '' : ` (did you mean '${near}'?)`
  return `${place}: expected ${names.join(', ')}, or an object with a name and over(), got ${shown(given)}${hint}`
}

/**
 * The policy that an option means: one of `named` by its name, alone or in an object with its settings, or one of the
 * user's own. What is wrong is added to `faults`, beginning with `place`.
 */
export function parsePolicy(option: unknown, named: NamedPolicies, faults: string[], place = 'policy'): ParsedPolicy {
  const given = (typeof option === 'string' ? { name: option } : (option ?? {})) as Partial<Policy>
  const { name, over, ...rest } = given
  if (typeof name === 'string' && typeof over === 'function') return ownPolicy(given as Policy)
  const definition = typeof name === 'string' && Object.hasOwn(named, name) ? named[name] : undefined
  if (definition !== undefined)
    return namedPolicy(name!, definition, over === undefined ? rest : { ...rest, over }, named, faults, place)
  faults.push(unknownPolicy(option, Object.keys(named), place))
  return anyPolicy
}

function namedPolicy(
  name: string,
  { settings: schema, faults: furtherFaults, make }: NamedPolicy,
  { policy: chosen, ...plain }: Readonly<Record<string, unknown>>,
  named: NamedPolicies,
  faults: string[],
  place: string,
): ParsedPolicy {
  const { policy: around } = schema.properties
  const given = around === undefined && chosen !== undefined ? { ...plain, policy: chosen } : plain
  if (Object.keys(schema.properties).length === 0) {
    const [other] = Object.keys(given)
    if (other !== undefined) faults.push(`${place}.${other}: unknown option (the policy '${name}' has none)`)
    return { name, settings: {}, shown: {}, make: (random) => make({}, partsFor(random, anyPolicy)) }
  }
  const settings = withDefaults(schema, given) as Record<string, unknown>
  const own = shownOptions(settings, { schema }) as ParsedPolicy['shown']
  const wrong = faultsOf(schema, settings, place)
  if (wrong.length > 0) faults.push(...wrong)
  else faults.push(...(furtherFaults?.(settings) ?? []).map((fault) => `${place}.${fault}`))
  if (around === undefined)
    return { name, settings, shown: own, make: (random) => make(settings, partsFor(random, anyPolicy)) }
  const byDefault: unknown = around.default ?? 'p2c'
  const inner = parsePolicy(chosen === undefined ? byDefault : chosen, named, faults, `${place}.policy`)
  if (inner.settings !== undefined && named[inner.name]?.isOutermost === true)
    faults.push(`${place}.policy: '${inner.name}' cannot stand within '${name}'; put '${name}' in its \`policy\``)
  return {
    name,
    settings: {
      ...settings,
      policy: inner.settings === undefined ? inner.make : { name: inner.name, ...inner.settings },
    },
    shown: { ...own, policy: { name: inner.name, ...inner.shown } },
    make: (random) => make(settings, partsFor(random, inner)),
  }
}

function partsFor(random: () => number, inner: ParsedPolicy): PolicyParts {
  return {
    random,
    inner: () => inner.make(random),
    weightLine: (backends) => new WeightLine(backends),
    draws: () => new Draws(random),
    twoChoices: (name, cost) => twoChoices(name, cost, random),
    least: (name, cost) => least(name, cost),
  }
}
