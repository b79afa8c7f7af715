import { Balancer, type BalancerOptions, type PickRequest } from '@fastify-balancer/balancer-core'
import { spread } from '../statistics.ts'

const request: PickRequest = { method: 'GET', url: '/', headers: {} }
const batches = 15
/** ms; long enough for the clock. */
const batchLength = 4

/** Origins on which nobody listens; none is ever connected to. */
export function manyBackends(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `http://127.0.0.1:${10_000 + index}`)
}

/** µs that a policy takes for one pick over so many backends. */
export async function timePick(policy: NonNullable<BalancerOptions['policy']>, count: number): Promise<number> {
  const balancer = new Balancer({ backends: manyBackends(count), policy })
  const picker = balancer.policy.over(balancer.set.available)
  const time = (picks: number) => {
    const startedAt = performance.now()
    for (let pick = 0; pick < picks; pick++) picker.pick(request)
    return performance.now() - startedAt
  }
  let picks = 100
  while (time(picks) < batchLength) picks *= 2
  const each = Array.from({ length: batches }, () => (time(picks) / picks) * 1000)
  await balancer.close()
  return spread(each).median
}
