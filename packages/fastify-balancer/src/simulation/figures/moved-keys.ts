import type { Backend, PickRequest, Policy } from '@fastify-balancer/balancer-core'

type User = Pick<PickRequest, 'headers' | 'address'>

/** Enough to see what a policy does. */
const mostKeys = 2000
const mostLeavers = 10

/** Some of a list, evenly spread. */
function some<Item>(items: readonly Item[], most: number): readonly Item[] {
  const step = Math.max(1, items.length / most)
  return Array.from({ length: Math.min(items.length, most) }, (_, index) => items[Math.floor(index * step)]!)
}

/** Who gets each key; undefined if the choice depends on earlier requests. */
function owners(policy: Policy, backends: readonly Backend[], keys: readonly User[]) {
  const picker = policy.over(backends)
  const ask = (user: User) => picker.pick({ method: 'GET', url: '/', ...user })
  const first = keys.map(ask)
  const backwards = keys.toReversed().map(ask).toReversed()
  // Turns that end where they began are no different in the next round.
  ask(keys[0]!)
  const shifted = keys.map(ask)
  const isSame = first.every((one, index) => one === backwards[index] && one === shifted[index])
  return isSame ? first : undefined
}

/**
 * The share of keys that get another backend when one leaves, 0 to 1, on average over those that may leave. At least those
 * of the one that leaves must move. Undefined for a policy that does not go by keys. Nobody is busy meanwhile.
 */
export function movedKeys(policy: Policy, backends: readonly Backend[], users: readonly User[]): number | undefined {
  const keys = some(users, mostKeys)
  const before = owners(policy, backends, keys)
  if (before === undefined || new Set(before).size < 2) return undefined
  let moved = 0
  const leavers = some(backends, mostLeavers)
  for (const leaver of leavers) {
    const left = backends.filter((backend) => backend !== leaver)
    const after = owners(policy, left, keys)
    moved += before.filter((one, index) => one !== after?.[index]).length
  }
  return moved / (keys.length * leavers.length)
}
