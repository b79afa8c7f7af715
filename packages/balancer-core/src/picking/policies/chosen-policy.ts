import { nearName, shown } from '@fastify-balancer/option-schema'
import type { Policy } from '../policy.ts'
import { policies, type PolicyName } from './by-name.ts'

const names = Object.keys(policies)

function isName(name: unknown): name is PolicyName {
  return typeof name === 'string' && Object.hasOwn(policies, name)
}

function faultOf(policy: unknown): string {
  const { name } = (typeof policy === 'object' ? (policy ?? {}) : {}) as { readonly name?: unknown }
  if (isName(name)) {
    const other = Object.keys(policy as object).find((one) => one !== 'name')
    return `policy.${other}: unknown option (the policy '${name}' has none)`
  }
  const given = typeof name === 'string' ? name : policy
  const near = typeof given === 'string' ? nearName(given, names) : undefined
  const hint = near === undefined ? '' : ` (did you mean '${near}'?)`
  return `policy: expected ${names.join(', ')}, or an object with a name and over(), got ${shown(given)}${hint}`
}

/** A policy that was given stays the same one, whatever it is given with. */
const givenPolicies = new WeakMap<object, () => Policy>()

function thatPolicy(policy: Policy): () => Policy {
  const known = givenPolicies.get(policy)
  if (known !== undefined) return known
  const that = () => policy
  givenPolicies.set(policy, that)
  return that
}

/** The policy that an option means: one of those above by its name, alone or in an object, or one of the user's own. What is wrong is added to `faults`. */
export function parsePolicy(policy: unknown, faults: string[]): (random: () => number) => Policy {
  const named = (typeof policy === 'string' ? { name: policy } : (policy ?? {})) as Partial<Policy>
  const { name, over } = named
  if (typeof name === 'string' && typeof over === 'function') return thatPolicy(named as Policy)
  if (isName(name) && Object.keys(named).length === 1) return policies[name]
  faults.push(faultOf(policy))
  return policies['round-robin']
}
