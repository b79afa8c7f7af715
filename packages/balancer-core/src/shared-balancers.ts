import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { attach } from './app/attachment.ts'
import { registryOf, shareRegistry } from './app/registry.ts'
import { BadOptionsError } from './errors.ts'
import { routeOf } from './route.ts'

/** Options of `sharedBalancers`. */
export interface SharedBalancersOptions {
  /**
   * The app with the balancers. Balancers registered there later can be used by `reply.forward()`, but get no route
   * here.
   */
  readonly of: FastifyInstance
  /** Register the same catch-all routes here; true by default. */
  readonly routes?: boolean
}

async function plugin(app: FastifyInstance, { of, routes = true }: SharedBalancersOptions): Promise<void> {
  const registry = registryOf(of)
  if (registry.balancers.size === 0)
    throw new BadOptionsError('of: that app has no balancer yet; register one there first')
  if (!shareRegistry(app, registry)) throw new BadOptionsError('of: this app has balancers already')
  for (const balancer of registry.balancers.values()) {
    attach(app, balancer, registry)
    if (routes) void app.register(...routeOf(balancer))
  }
}

/**
 * `fastify.register(sharedBalancers, { of: app })`: forwards with the balancers of another app, for a process that listens
 * in several ways (a port with TLS and one without, a Unix socket, another `trustProxy`). Counts, checks and connections are
 * the same. Close the apps together: the balancers close with the first of them that does.
 * @throws BadOptionsError when the other app has no balancer, or this one has some of its own
 */
export const sharedBalancers = fp(plugin, { fastify: '5.x', name: '@fastify-balancer/balancer-core/shared' })
