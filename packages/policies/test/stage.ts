import {
  Balancer,
  corePolicies,
  type Backend,
  type BalancerOptions,
  type PickRequest,
} from '@fastify-balancer/balancer-core'
import type { TestContext } from 'node:test'
import { policies } from '../src/index.ts'

/** A balancer that knows these policies; it is closed when the test ends. */
export function balancing(t: TestContext, options: BalancerOptions): Balancer {
  const balancer = new Balancer(options, undefined, { ...corePolicies, ...policies })
  t.after(() => balancer.close())
  return balancer
}

/** Where a request would be sent now, as the balancer decides it; nothing is sent. */
export function pick(balancer: Balancer, request: Partial<PickRequest> = {}): Backend | undefined {
  const exchange = { method: 'GET', url: '/', headers: {}, attempts: [], ...request }
  const attempt = balancer.pick(exchange as unknown as Parameters<Balancer['pick']>[0])
  return typeof attempt === 'object' ? attempt.backend : undefined
}

/** Visits the middle of each of so many equal parts of 0 to 1 once a round. */
export function evenly(parts: number): () => number {
  let turn = 0
  return () => ((turn++ % parts) + 0.5) / parts
}

/** How often each backend is picked, by its id. */
export function countsOf(balancer: Balancer, count: number, request?: Partial<PickRequest>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let turn = 0; turn < count; turn++) {
    const id = pick(balancer, request)?.id ?? 'none'
    counts[id] = (counts[id] ?? 0) + 1
  }
  return counts
}
