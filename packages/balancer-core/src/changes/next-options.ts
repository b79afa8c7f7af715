import { optionChanges, type OptionChange } from '@fastify-balancer/option-schema'
import { readOptions, type BalancerOptions, type ParsedOptions } from '../options.ts'
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

/** Reads options that are to take the place of `current`. Where no clock or random is given, they stay. */
export function nextOptions(given: BalancerOptions, current: ParsedOptions, policy: Policy): NextOptions {
  // The list is read on its own, as it may be long.
  const { options: read, faults } = readOptions({ ...given, backends: [] })
  const { clock, random } = current
  const wanted = { ...(clock !== undefined && { clock }), ...(random !== undefined && { random }), ...read }
  const cannot = optionChanges(compared(current), compared(wanted)).flatMap(({ option, from, to }) => {
    const [name = ''] = option.split('.')
    return name in fixed ? { option, from, to, why: fixed[name as keyof typeof fixed] } : []
  })
  const stays = Object.keys(fixed).map((name) => [name, current[name as keyof ParsedOptions]] as const)
  const both = Object.entries({ ...wanted, ...Object.fromEntries(stays) }).filter(([, value]) => value !== undefined)
  const options = Object.freeze(Object.fromEntries(both)) as ParsedOptions
  const next = options.policy === current.policy ? policy : options.policy(current.random ?? Math.random)
  const changes = optionChanges(compared(current), compared(options), ['pool.tls'])
  if (next !== policy) changes.push({ option: 'policy', from: policy.name, to: next.name })
  return { options, policy: next, faults, changes, cannot }
}
