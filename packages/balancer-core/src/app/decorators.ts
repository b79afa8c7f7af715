import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Server } from 'node:http'
import type { Balancer } from '../balancer.ts'
import { exchangeOf } from '../exchange/closing/response-close.ts'
import { exchangeFor } from '../exchange/exchange-for.ts'
import { forwardingWith, type CallOptions } from '../exchange/forward-options.ts'
import { forwardingOf, guarded, type Forwarding } from '../exchange/forwarding.ts'
import { laneOf } from '../response/choose-lane.ts'
import { isSpent } from '../request/request-body.ts'
import type { NamedPolicy } from '../picking/policies/named-policy.ts'
import { findBalancer, type Registry } from './registry.ts'

/** Options of `reply.forward()`: they hold for that request alone. */
export interface ForwardOptions extends CallOptions {
  /** The name of the balancer, or the balancer itself; required if there are several and none is called `default`. */
  readonly balancer?: string | Balancer
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The default balancer of this server, or its only one. */
    balancer: Balancer
    /** Every balancer of this server by name, in whichever scope it was registered. */
    balancers: ReadonlyMap<string, Balancer>
    /** Further policies that `policy` can name. A plugin that brings some adds them before a balancer is registered. */
    balancerPolicies?: Record<string, NamedPolicy>
    /** Every server whose requests go to these balancers: of this app, and of the apps that share them. */
    balancerServers: ReadonlySet<Server>
  }
  interface FastifyReply {
    /** Forwards the request to a backend and answers with its response. */
    forward(options?: ForwardOptions): FastifyReply
  }
}

/** Decorates the app, once. */
export function decorate(app: FastifyInstance, registry: Registry): void {
  if (app.hasDecorator('balancers')) return
  // By balancer and by route.
  const forwardings = new Map<Balancer, WeakMap<object, Forwarding>>()
  app.decorate('balancers', { getter: () => registry.balancers })
  app.decorate('balancer', { getter: () => findBalancer(registry) })
  app.decorate('balancerServers', { getter: () => registry.servers })
  app.decorateReply('forward', function (this: FastifyReply, given?: ForwardOptions) {
    const balancer = given?.balancer
    const chosen = typeof balancer === 'object' ? balancer : findBalancer(registry, balancer)
    const taken: object = this.request.routeOptions.config
    let byRoute = forwardings.get(chosen)
    if (byRoute === undefined) forwardings.set(chosen, (byRoute = new WeakMap()))
    let forwarding = byRoute.get(taken)
    if (forwarding?.options !== chosen.options)
      byRoute.set(taken, (forwarding = guarded(forwardingOf(chosen), this.request)))
    const own = given === undefined ? forwarding : forwardingWith(forwarding, given)
    // Two at once would write one response.
    const other = exchangeOf(this.raw)
    if (other !== undefined && other.outcome === undefined)
      throw new TypeError('reply.forward: the request is being forwarded already')
    if (other !== undefined && isSpent(this.request))
      throw new TypeError('reply.forward: the body was forwarded before, and is not kept')
    exchangeFor(this.request, this, own, laneOf(own.lane, this)).begin()
    return this
  })
}
