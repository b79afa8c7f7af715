import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { attach } from './app/attachment.ts'
import { registryOf, shareRegistry } from './app/registry.ts'
import { BadOptionsError } from './errors.ts'
import { routeOf } from './route.ts'

/** Whose balancers an app shares. */
export interface SharedBalancersOptions {
  /** The app that has them. What is registered there later is found by `reply.forward()`, but gets no route here. */
  readonly of: FastifyInstance
  /** Register the catch-all routes that the balancers have there; true by default. */
  readonly routes?: boolean
}

async function plugin(app: FastifyInstance, { of, routes = true }: SharedBalancersOptions): Promise<void> {
  const registry = registryOf(of)
  if (registry.balancers.size === 0)
    throw new BadOptionsError('of: that app has no balancer yet: register one there first')
  if (!shareRegistry(app, registry)) throw new BadOptionsError('of: this app has balancers already')
  for (const balancer of registry.balancers.values()) {
    attach(app, balancer, registry)
    if (routes) await app.register(...routeOf(balancer))
  }
}

/**
 * `fastify.register(sharedBalancers, { of: app })`: forwards with the balancers of another app, for a process that listens
 * in several ways (a port with TLS and one without, a Unix socket, another `trustProxy`). Counts, checks and connections are
 * the same. Close the apps together: the balancers close with the first of them that does.
 * @throws BadOptionsError when the other app has no balancer, or this one has some of its own
 */
export const sharedBalancers = fp(plugin, { fastify: '5.x', name: '@fastify-balancer/balancer-core/shared' })
