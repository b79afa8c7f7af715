import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import { ownMember } from '@fastify-balancer/option-schema'

/** What was ordered about a backend. */
export interface SharedOrder {
  readonly state: 'drain' | 'maintenance'
  readonly reason: string
  readonly who?: string
  /** Of a drain, its deadline (ms since the epoch). */
  readonly until?: number
}

/** The order that holds for a backend here; undefined if it is ready. */
export function orderOf({ state, vetoes }: Backend): SharedOrder | undefined {
  if (state === 'ready') return undefined
  const veto = vetoes.find(({ hard, by }) => hard && by === state)
  if (veto === undefined) return undefined
  const { reason, who, until } = veto
  return { state, reason, ...(who !== undefined && { who }), ...(until !== undefined && { until }) }
}

/** The orders about all backends that have one, by id. */
export function ordersOf({ backends }: Balancer): Record<string, SharedOrder> {
  return Object.fromEntries(
    backends.flatMap((backend) => {
      const order = orderOf(backend)
      return order === undefined ? [] : [[backend.id, order]]
    }),
  )
}

/** Do both say the same? */
export function isSameOrder(one: SharedOrder | undefined, other: SharedOrder | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  const { state, reason, who, until } = one
  return state === other.state && reason === other.reason && who === other.who && until === other.until
}

/** Carries out here what was ordered in other instances, except about some backends. */
export function follow(
  balancer: Balancer,
  orders: Readonly<Record<string, SharedOrder>>,
  except: { has(backend: Backend): boolean },
): void {
  for (const backend of balancer.backends) {
    if (except.has(backend)) continue
    const order = ownMember(orders, backend.id)
    const before = orderOf(backend)
    if (isSameOrder(before, order)) continue
    const { id } = backend
    if (order === undefined || before !== undefined) balancer.ready(id)
    if (order === undefined) continue
    const { state, reason, who, until } = order
    const terms = { reason, ...(who !== undefined && { who }) }
    // Neither is waited for.
    if (state === 'maintenance') void balancer.maintain(id, terms)
    else void balancer.drain(id, { ...terms, ...(until === undefined ? { deadline: 0 } : { until }) })
  }
}
