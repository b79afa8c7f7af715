import type { BackendSet, Balancer } from '@fastify-balancer/balancer-core'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import type { AdminNotice } from '../changes/audit.ts'
import { hearReloads } from '../reload/reload-notices.ts'
import { BalancerWatch } from './balancer-watch.ts'
import type { EventDraft } from './event.ts'

/** What is told on `balancer-core:backends:change`. */
interface BackendsChange {
  readonly balancer: Balancer
  readonly now: BackendSet
}

/** What is told on `circuit-breaker:change`. */
interface CircuitNotice {
  readonly server?: unknown
  readonly balancer: string
  readonly backend: string
  readonly state: string
  readonly before: string
  readonly reason: string
  readonly at: number
}

/**
 * Tells of everything that happens to the balancers of a server, as the diagnostics channels do, until the answer is
 * called. Nothing is asked again and again, and nothing happens on the way of a request.
 */
export function watchBalancers(
  app: FastifyInstance,
  wallClock: () => number,
  tell: (event: EventDraft) => void,
): () => void {
  const watches = new Map<Balancer, BalancerWatch>()
  const watchAll = () => {
    for (const balancer of app.balancers.values())
      if (!watches.has(balancer)) watches.set(balancer, new BalancerWatch(balancer))
  }
  const onBackends = ({ balancer, now }: BackendsChange) => {
    if (app.balancers.get(balancer.name) !== balancer) return
    const watch = watches.get(balancer)
    if (watch === undefined) watches.set(balancer, new BalancerWatch(balancer))
    else for (const event of watch.observe(now, wallClock())) tell(event)
  }
  // Channels are the process's. Who does not say of which server it tells is taken at its word.
  const isOurs = ({ server, balancer }: { readonly server?: unknown; readonly balancer?: string }) =>
    server === undefined
      ? balancer !== undefined && app.balancers.has(balancer)
      : app.balancerServers.has(server as FastifyInstance['server'])
  const onCircuit = (notice: CircuitNotice) => {
    if (!isOurs(notice)) return
    const { balancer, backend, state, before, reason, at } = notice
    tell({ type: 'circuit', balancer, backend, at, state, before, reason })
  }
  const onAdmin = (notice: AdminNotice) => {
    const { server: _server, ...change } = notice
    if (isOurs(notice)) tell({ type: 'admin', ...change } as EventDraft)
  }
  // An error thrown by a subscriber would end the process.
  const guarded =
    <Notice>(listener: (notice: Notice) => void) =>
    (notice: unknown) => {
      try {
        listener(notice as Notice)
      } catch (error) {
        app.log.error({ err: error }, 'an event could not be told')
      }
    }
  const subscriptions = [
    ['balancer-core:backends:change', guarded(onBackends)],
    ['circuit-breaker:change', guarded(onCircuit)],
    ['admin-routes:change', guarded(onAdmin)],
  ] as const
  const deaf = hearReloads(app, ({ report, who, at }) =>
    tell({ type: 'reload', at, ...report, ...(who !== undefined && { who }) }),
  )
  watchAll()
  app.addHook('onReady', async () => watchAll())
  for (const [name, listener] of subscriptions) subscribe(name, listener)
  return () => {
    deaf()
    for (const [name, listener] of subscriptions) unsubscribe(name, listener)
  }
}
