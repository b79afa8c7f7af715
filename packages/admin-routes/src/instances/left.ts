import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import { countsOfBackend, type BackendCounts } from './merging/merged-backend.ts'
import type { BalancerCounts } from './merging/merged-balancer.ts'
import { summed } from './merging/sums.ts'

/** What an ended instance has counted of a balancer; backends by id and URL. */
export interface LeftBalancer extends BalancerCounts {
  readonly backends: Readonly<Record<string, BackendCounts>>
}

/** The same by the names of balancers. */
export type Left = Readonly<Record<string, LeftBalancer>>

/** One with another URL is another backend, whatever its id. */
export function placeOf({ id, url }: Pick<Backend, 'id' | 'url'>): string {
  return `${url} ${id}`
}

/** What would be left if this instance ended now. */
export function leftOf(balancers: ReadonlyMap<string, Balancer>): Left {
  const left = [...balancers.values()].map(({ name, totals, queue: { refused }, set }) => {
    const used = set.all.filter(({ requests }) => requests > 0)
    const backends = Object.fromEntries(used.map((one) => [placeOf(one), countsOfBackend(one.toJSON())] as const))
    return [name, { totals: totals.toJSON(), refused, backends }] as const
  })
  return Object.fromEntries(left)
}

/** What both have left. */
export function mergedLeft(one: Left, other: Left): Left {
  return summed([one, other])
}
