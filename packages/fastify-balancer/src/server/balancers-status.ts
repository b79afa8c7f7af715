import type { Balancer } from '../index.ts'

/** How all balancers of a process, or of several, are. */
export interface BalancersStatus {
  readonly backends: number
  readonly available: number
  /** Requests in progress. */
  readonly exchanges: number
}

/** Added up. */
export function statusOf(balancers: Iterable<Balancer>): BalancersStatus {
  let backends = 0
  let available = 0
  let exchanges = 0
  for (const balancer of balancers) {
    const { all } = balancer.set
    backends += all.length
    exchanges += balancer.exchanges
    for (const backend of all) available += Number(backend.available)
  }
  return { backends, available, exchanges }
}

/** How long they may take to finish what they have (ms), `least` at least; 0 = without a limit. */
export function drainDeadlineOf(balancers: Iterable<Balancer>, least = 0): number {
  const all = [...balancers].map(({ options }) => options.drainDeadline)
  return all.includes(0) ? 0 : Math.max(least, ...all)
}
