import { Balancer, type BalancerOptions, type PickRequest } from '@fastify-balancer/balancer-core'
import { ourPolicies } from '../our-policies.ts'
import { spread } from '../statistics.ts'

/** Of many clients, for policies that hash their addresses. A power of two. */
const requests: readonly PickRequest[] = Array.from({ length: 1024 }, (_, index) => ({
  method: 'GET',
  url: '/',
  headers: {},
  address: `10.1.${index >> 8}.${index & 255}`,
}))
const batches = 15
/** ms; long enough for the clock. */
const batchLength = 4
/** Tables are built so often. */
const builds = 9

/** Origins on which nobody listens; none is ever connected to. */
export function manyBackends(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `http://127.0.0.1:${10_000 + index}`)
}

/** What a policy takes with so many backends: for one pick in µs, and to be ready for the first one after a change in ms. */
export async function timePick(
  policy: string,
  count: number,
): Promise<{ readonly pick: number; readonly build: number }> {
  const options = { backends: manyBackends(count), policy } as BalancerOptions
  const balancer = new Balancer(options, undefined, ourPolicies)
  const available = [...balancer.set.available]
  const took: number[] = []
  let picker = balancer.policy.over(available)
  for (let build = 0; build < builds; build++) {
    // Tables are kept where nothing has changed.
    const startedAt = performance.now()
    picker = balancer.policy.over(build % 2 === 0 ? available.slice(1) : available)
    picker.pick(requests[0]!)
    took.push(performance.now() - startedAt)
  }
  const time = (picks: number) => {
    const startedAt = performance.now()
    for (let pick = 0; pick < picks; pick++) picker.pick(requests[pick & (requests.length - 1)]!)
    return performance.now() - startedAt
  }
  let picks = 100
  while (time(picks) < batchLength) picks *= 2
  const each = Array.from({ length: batches }, () => (time(picks) / picks) * 1000)
  await balancer.close()
  return { pick: spread(each).median, build: spread(took).median }
}
