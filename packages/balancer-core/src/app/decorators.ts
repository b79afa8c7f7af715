import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Server } from 'node:http'
import type { Balancer } from '../balancer.ts'
import { Exchange } from '../exchange/exchange.ts'
import { forwardingOf, guarded, type Forwarding } from '../exchange/forwarding.ts'
import { laneOf } from '../response/choose-lane.ts'
import { findBalancer, type Registry } from './registry.ts'

/** What a route of the user's may say about one forwarding. */
export interface ForwardOptions {
  /** The name of the balancer, or the balancer; needed where there are several and none is called `default`. */
  readonly balancer?: string | Balancer
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The default balancer of this server, or its only one. */
    balancer: Balancer
    /** Every balancer of this server by name, whatever scope registered it. */
    balancers: ReadonlyMap<string, Balancer>
    /** Every server whose requests these balancers get: of this app, and of the apps that share its balancers. */
    balancerServers: ReadonlySet<Server>
  }
  interface FastifyReply {
    /** Forwards the request to a backend and answers with its response. */
    forward(options?: ForwardOptions): FastifyReply
  }
}

/** Adds what apps with balancers have, the first time. */
export function decorate(app: FastifyInstance, registry: Registry): void {
  if (app.hasDecorator('balancers')) return
  // By balancer, and by the route that forwards.
  const forwardings = new Map<Balancer, WeakMap<object, Forwarding>>()
  app.decorate('balancers', { getter: () => registry.balancers })
  app.decorate('balancer', { getter: () => findBalancer(registry) })
  app.decorate('balancerServers', { getter: () => registry.servers })
  app.decorateReply('forward', function (this: FastifyReply, { balancer }: ForwardOptions = {}) {
    const chosen = typeof balancer === 'object' ? balancer : findBalancer(registry, balancer)
    const taken: object = this.request.routeOptions.config
    let byRoute = forwardings.get(chosen)
    if (byRoute === undefined) forwardings.set(chosen, (byRoute = new WeakMap()))
    let forwarding = byRoute.get(taken)
    if (forwarding?.options !== chosen.options)
      byRoute.set(taken, (forwarding = guarded(forwardingOf(chosen), this.request)))
    new Exchange(this.request, this, forwarding, laneOf(forwarding.lane, this)).begin()
    return this
  })
}
