import { optionChanges, type OptionChange } from '@fastify-balancer/option-schema'
import { readOptions, type BalancerOptions, type ParsedOptions } from '../options.ts'
import type { NamedPolicies } from '../picking/policies/named-policy.ts'
import { arePoliciesEqual, type ParsedPolicy } from '../picking/policies/parse-policy.ts'
import type { Policy } from '../picking/policy.ts'
import type { FixedOption } from './participation.ts'

/** What cannot be another while a balancer runs, and why. */
const fixed = {
  name: 'a balancer is found by its name',
  prefix: 'routes are registered when the app starts',
  constraints: 'routes are registered when the app starts',
  route: 'routes are registered when the app starts',
  clock: 'timers are running on it',
  random: 'it is chosen when the balancer is made',
} as const

/** Settings of policies that may be secrets, also of policies within others. */
const hiddenSettings = ['*.secret']

/** Options for which there is something to choose with. */
export interface NextOptions {
  /** With those of now where they cannot be others; without a list. */
  readonly options: ParsedOptions
  readonly policy: Policy
  readonly faults: readonly string[]
  readonly changes: readonly OptionChange[]
  readonly cannot: readonly FixedOption[]
}

/** Without what is compared otherwise: the list with the one in force, and policies by their names. */
function compared(options: ParsedOptions): object {
  return { ...options, backends: undefined, policy: undefined }
}

function policyChanges(before: ParsedPolicy, after: ParsedPolicy): OptionChange[] {
  if (before.name !== after.name) return [{ option: 'policy', from: before.name, to: after.name }]
  const changes = optionChanges({ policy: before.settings }, { policy: after.settings }, hiddenSettings)
  return changes.length > 0 ? changes : [{ option: 'policy', from: before.name, to: after.name }]
}

/** Reads options that are to take the place of `current`. Where no clock or random is given, they stay. */
export function nextOptions(
  given: BalancerOptions,
  current: ParsedOptions,
  policy: Policy,
  named: NamedPolicies,
): NextOptions {
  // The list is read on its own, as it may be long.
  const { options: read, faults } = readOptions({ ...given, backends: [] }, named)
  const { clock, random } = current
  const wanted = { ...(clock !== undefined && { clock }), ...(random !== undefined && { random }), ...read }
  const cannot = optionChanges(compared(current), compared(wanted)).flatMap(({ option, from, to }) => {
    const [name = ''] = option.split('.')
    return name in fixed ? { option, from, to, why: fixed[name as keyof typeof fixed] } : []
  })
  const stays = Object.keys(fixed).map((name) => [name, current[name as keyof ParsedOptions]] as const)
  const both = Object.entries({ ...wanted, ...Object.fromEntries(stays) }).filter(([, value]) => value !== undefined)
  const options = Object.freeze(Object.fromEntries(both)) as ParsedOptions
  const isSame = arePoliciesEqual(options.policy, current.policy)
  const next = isSame || faults.length > 0 ? policy : options.policy.make(current.random ?? Math.random)
  const changes = optionChanges(compared(current), compared(options), ['pool.tls'])
  if (next !== policy) changes.push(...policyChanges(current.policy, options.policy))
  return { options, policy: next, faults, changes, cannot }
}
