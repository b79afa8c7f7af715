import { Extension } from '@fastify-balancer/option-schema'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { BadOptionsError, UncheckedBalancerError } from './errors.ts'
import { extensionKey, HealthCheck } from './health-check.ts'
import { parseOptions, type HealthCheckOptions } from './options.ts'
import { fleetOf } from './sharing/fleet-part.ts'
import { SharedProbes } from './sharing/shared-probes.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The health of the default balancer's backends, or of the only one's. */
    healthCheck: HealthCheck
    /** Every health check of this server, by the name of its balancer. */
    healthChecks: ReadonlyMap<string, HealthCheck>
  }
}

const extension = new Extension<HealthCheck>({
  key: extensionKey,
  words: 'health check',
  one: 'healthCheck',
  all: 'healthChecks',
  badOptions: (fault) => new BadOptionsError(fault),
  none: (balancer) => new UncheckedBalancerError(balancer),
})

/** Share of Fastify's `pluginTimeout`, the limit for an `onReady` hook, that the first probes may take. */
const usable = 0.8

async function plugin(app: FastifyInstance, given: HealthCheckOptions): Promise<void> {
  const options = parseOptions(given)
  const balancer = extension.balancerFor(app, options.balancer)
  const fleet = fleetOf(app)
  const check = new HealthCheck(balancer, options, app.log, fleet && new SharedProbes(fleet, balancer, app.server))
  extension.add(app, balancer, check)
  const limit = (app.initialConfig.pluginTimeout ?? 10_000) * usable
  app.addHook('onReady', () => check.start(limit))
  // Not earlier: while the balancer drains, waiting requests must not be sent to unhealthy backends.
  app.addHook('onClose', async () => check.stop())
}

/** `fastify.register(healthCheck, options)`, after the balancer. */
export const healthCheck = fp(plugin, {
  fastify: '5.x',
  name: '@fastify-balancer/health-check',
  decorators: { fastify: ['balancers'] },
})
