import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { BadOptionsError, UncheckedBalancerError } from './errors.ts'
import { HealthCheck } from './health-check.ts'
import { parseOptions, type HealthCheckOptions } from './options.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The health of the default balancer's backends, or of the only one's. */
    healthCheck: HealthCheck
    /** Every health check of this server, by the name of its balancer. */
    healthChecks: ReadonlyMap<string, HealthCheck>
  }
}

const byServer = new WeakMap<object, Map<string, HealthCheck>>()

/** The part of Fastify's `pluginTimeout`, which an `onReady` hook must keep, that the first round may take. */
const usable = 0.8

async function plugin(app: FastifyInstance, given: HealthCheckOptions): Promise<void> {
  const options = parseOptions(given)
  const balancer = options.balancer === undefined ? app.balancer : app.balancers.get(options.balancer)
  if (balancer === undefined) {
    const names = [...app.balancers.keys()].join(', ')
    throw new BadOptionsError(`balancer: there is no balancer '${options.balancer}', only: ${names}`)
  }
  const checks = byServer.get(app.server) ?? new Map<string, HealthCheck>()
  byServer.set(app.server, checks)
  if (checks.has(balancer.name)) throw new BadOptionsError(`balancer: '${balancer.name}' is checked already`)
  const check = new HealthCheck(balancer, options, app.log)
  checks.set(balancer.name, check)
  if (!app.hasDecorator('healthChecks')) {
    app.decorate('healthChecks', { getter: () => checks })
    app.decorate('healthCheck', {
      getter(this: FastifyInstance) {
        const { name } = this.balancer
        const found = checks.get(name)
        if (found === undefined) throw new UncheckedBalancerError(name)
        return found
      },
    })
  }
  const limit = (app.initialConfig.pluginTimeout ?? 10_000) * usable
  app.addHook('onReady', () => check.start(limit))
  // Not sooner: while the balancer drains, whoever still waits must not be sent to one that is sick.
  app.addHook('onClose', async () => check.stop())
}

/** `fastify.register(healthCheck, options)`, after the balancer. */
export const healthCheck = fp(plugin, {
  fastify: '5.x',
  name: '@fastify-balancer/health-check',
  decorators: { fastify: ['balancers'] },
})
