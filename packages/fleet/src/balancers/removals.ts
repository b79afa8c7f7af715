import type { AgreedList } from '@fastify-balancer/balancer-core'

/** So many are remembered, the last ones. */
const most = 100

/** With which revision backends have been removed, by their ids: one that was added again since is another. */
export type Removals = Readonly<Record<string, number>>

/** The removals, once `next` has taken the place of `before`. */
export function removalsWith(
  removed: Removals = {},
  before: AgreedList['backends'],
  next: AgreedList['backends'],
  revision: number,
): Removals {
  const urls = new Map(next.map(({ id, url }) => [id, url]))
  const gone = before.flatMap(({ id, url }) =>
    id !== undefined && urls.get(id) !== url ? [[id, revision] as const] : [],
  )
  if (gone.length === 0) return removed
  const all = Object.entries({ ...removed, ...Object.fromEntries(gone) })
  return Object.fromEntries(all.toSorted(([, one], [, other]) => other - one).slice(0, most))
}
