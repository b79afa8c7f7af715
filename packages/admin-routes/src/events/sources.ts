import type { BackendSet, Balancer, QueueRefusals } from '@fastify-balancer/balancer-core'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import type { AdminNotice, RefusalNotice } from '../changes/audit.ts'
import { isOrdered, order } from '../changes/orders.ts'
import type { Fleet } from '../instances/fleet.ts'
import { hearReloads } from '../reload/reload-notices.ts'
import { BalancerWatch } from './balancer-watch.ts'
import type { EventDraft } from './event.ts'

/** Message of the channel `balancer-core:backends:change`. */
interface BackendsChange {
  readonly balancer: Balancer
  readonly now: BackendSet
  readonly cause?: unknown
}

/** The `cause` of list changes that another instance has made. */
const elsewhere = Symbol.for('@fastify-balancer/fleet.elsewhere')

/** Message of the channel `balancer-core:queue:change`. */
interface QueueNotice {
  readonly balancer: Balancer
  readonly refusals: QueueRefusals
}

/** Message of the channel `fastify-balancer:overload`. */
type OverloadNotice = Omit<Extract<EventDraft, { readonly type: 'overload' }>, 'type' | 'at'> & {
  readonly server?: unknown
}

/** Message of the channel `circuit-breaker:change`. */
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
 * Passes everything that happens to a server's balancers to `tell`, until the returned function is called. What all
 * instances of a fleet have in common, one of them tells: who has changed a list or ordered something, or its keeper. It listens to
 * diagnostics channels: no polling, and no cost for a request.
 */
export function watchBalancers(
  app: FastifyInstance,
  wallClock: () => number,
  tell: (event: EventDraft) => void,
  fleet?: Fleet,
): () => void {
  const watches = new Map<Balancer, BalancerWatch>()
  const watchAll = () => {
    for (const balancer of app.balancers.values())
      if (!watches.has(balancer)) watches.set(balancer, new BalancerWatch(balancer))
  }
  const onBackends = ({ balancer, now, cause }: BackendsChange) => {
    if (app.balancers.get(balancer.name) !== balancer) return
    const watch = watches.get(balancer)
    if (watch === undefined) watches.set(balancer, new BalancerWatch(balancer))
    else {
      const toldElsewhere = {
        list: cause === order || cause === elsewhere,
        orders: fleet?.list(balancer.name)?.isFollowing === true,
        probes: fleet !== undefined && fleet.keeper !== undefined && !fleet.isKeeper,
      }
      for (const event of watch.observe(now, wallClock(), toldElsewhere)) tell(event)
    }
  }
  const onQueue = ({ balancer, refusals }: QueueNotice) => {
    const { name } = balancer
    if (app.balancers.get(name) === balancer) tell({ type: 'queue', balancer: name, at: wallClock(), ...refusals })
  }
  // Channels are process-wide. A message without a server is matched by the balancer's name alone.
  const isOurs = ({ server, balancer }: { readonly server?: unknown; readonly balancer?: string }) =>
    server === undefined
      ? balancer !== undefined && app.balancers.has(balancer)
      : app.balancerServers.has(server as FastifyInstance['server'])
  const onCircuit = (notice: CircuitNotice) => {
    if (!isOurs(notice) || isOrdered(notice.backend)) return
    const { balancer, backend, state, before, reason, at } = notice
    tell({ type: 'circuit', balancer, backend, at, state, before, reason })
  }
  const onOverload = ({ server, ...overload }: OverloadNotice) => {
    const isOfUs = server === undefined || app.balancerServers.has(server as FastifyInstance['server'])
    if (isOfUs) tell({ type: 'overload', at: wallClock(), ...overload })
  }
  const onAdmin = (notice: AdminNotice | RefusalNotice) => {
    const { server: _server, ...change } = notice
    if (isOurs(notice)) tell({ type: 'admin', ...change } as EventDraft)
  }
  // An error thrown by a subscriber would crash the process.
  const guarded =
    <Notice>(listener: (notice: Notice) => void) =>
    (notice: unknown) => {
      try {
        listener(notice as Notice)
      } catch (error) {
        app.log.error({ err: error }, 'an event could not be sent')
      }
    }
  const subscriptions = [
    ['balancer-core:backends:change', guarded(onBackends)],
    ['circuit-breaker:change', guarded(onCircuit)],
    ['admin-routes:change', guarded(onAdmin)],
    ['admin-routes:refused', guarded(onAdmin)],
    ['balancer-core:queue:change', guarded(onQueue)],
    ['fastify-balancer:overload', guarded(onOverload)],
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
