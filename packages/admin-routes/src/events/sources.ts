import type { BackendSet, Balancer } from '@fastify-balancer/balancer-core'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import type { AdminNotice } from '../audit.ts'
import { BalancerWatch } from './balancer-watch.ts'
import type { EventDraft } from './event.ts'

/** What is told on `balancer-core:backends:change`. */
interface BackendsChange {
  readonly balancer: Balancer
  readonly now: BackendSet
}

/** What is told on `circuit-breaker:change`. */
interface CircuitNotice {
  readonly balancer: string
  readonly backend: string
  readonly state: string
  readonly before: string
  readonly reason: string
  readonly at: number
}

/** As far as the circuit breakers of this server are asked. */
type Breakers = ReadonlyMap<string, { of(id: string): { readonly state: string; readonly since: number } }>

/** Channels are the process's, so each notice has to be of this server. */
function isOfThisServer(app: FastifyInstance, { balancer: name, backend, state, at }: CircuitNotice): boolean {
  const balancer = app.balancers.get(name)
  if (balancer === undefined || !balancer.backends.some(({ id }) => id === backend)) return false
  if (!app.hasDecorator('circuitBreakers')) return true
  const breaker = app.getDecorator<Breakers>('circuitBreakers').get(name)
  if (breaker === undefined) return false
  const circuit = breaker.of(backend)
  return circuit.state === state && circuit.since === at
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
  const onCircuit = (notice: CircuitNotice) => {
    if (!isOfThisServer(app, notice)) return
    const { balancer, backend, state, before, reason, at } = notice
    tell({ type: 'circuit', balancer, backend, at, state, before, reason })
  }
  const onAdmin = ({ server, who, what, balancer, backend, before, after, revision, at }: AdminNotice) => {
    const isOurs = server === undefined ? app.balancers.has(balancer) : server === app.server
    if (isOurs) tell({ type: 'admin', balancer, backend, at, who, what, before, after, revision } as EventDraft)
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
  watchAll()
  app.addHook('onReady', async () => watchAll())
  for (const [name, listener] of subscriptions) subscribe(name, listener)
  return () => {
    for (const [name, listener] of subscriptions) unsubscribe(name, listener)
  }
}
