import type { Balancer } from '@fastify-balancer/balancer-core'
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

/** Its name among the extensions of a balancer. */
const extension = 'health-check'

/** The part of Fastify's `pluginTimeout`, which an `onReady` hook must keep, that the first round may take. */
const usable = 0.8

function checkOf({ extensions }: Balancer): HealthCheck | undefined {
  return extensions.get(extension) as HealthCheck | undefined
}

function decorate(app: FastifyInstance): void {
  if (app.hasDecorator('healthChecks')) return
  app.decorate('healthChecks', {
    getter(this: FastifyInstance) {
      const all = [...this.balancers].map(([name, balancer]) => [name, checkOf(balancer)] as const)
      return new Map(all.filter((one): one is [string, HealthCheck] => one[1] !== undefined))
    },
  })
  app.decorate('healthCheck', {
    getter(this: FastifyInstance) {
      const check = checkOf(this.balancer)
      if (check === undefined) throw new UncheckedBalancerError(this.balancer.name)
      return check
    },
  })
}

async function plugin(app: FastifyInstance, given: HealthCheckOptions): Promise<void> {
  const options = parseOptions(given)
  const balancer = options.balancer === undefined ? app.balancer : app.balancers.get(options.balancer)
  if (balancer === undefined) {
    const names = [...app.balancers.keys()].join(', ')
    throw new BadOptionsError(`balancer: there is no balancer '${options.balancer}', only: ${names}`)
  }
  if (checkOf(balancer) !== undefined) throw new BadOptionsError(`balancer: '${balancer.name}' is checked already`)
  const check = new HealthCheck(balancer, options, app.log)
  balancer.extensions.set(extension, check)
  decorate(app)
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
