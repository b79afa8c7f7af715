// Room `plugin`: `register(balancer, options)`: the balancer and the plugins around it, from one options object.
import adminRoutes from '@fastify-balancer/admin-routes'
import core, { BadOptionsError } from '@fastify-balancer/balancer-core'
import circuitBreakerPlugin from '@fastify-balancer/circuit-breaker'
import dashboardPlugin from '@fastify-balancer/dashboard'
import healthCheckPlugin from '@fastify-balancer/health-check'
import metricsPlugin from '@fastify-balancer/metrics'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { dashboardOptions } from './dashboard-options.ts'
import { metricsOptions } from './metrics-options.ts'
import { check, pluginOptions, type BalancerOptions } from './options.ts'
import { shedUnderPressure } from './under-pressure.ts'

async function plugin(app: FastifyInstance, given: BalancerOptions): Promise<void> {
  check(given)
  const { core: options, healthCheck, circuitBreaker, metrics, admin, dashboard, underPressure } = pluginOptions(given)
  // Before the routes, which its hook is for.
  if (underPressure !== false) await shedUnderPressure(app, underPressure)
  await app.register(core, options)
  const balancer = options.name ?? 'default'
  if (healthCheck !== false) await app.register(healthCheckPlugin, { ...healthCheck, balancer })
  if (circuitBreaker !== false) await app.register(circuitBreakerPlugin, { ...circuitBreaker, balancer })
  if (metrics !== false) {
    if (app.hasDecorator('balancerMetrics'))
      throw new BadOptionsError('metrics: there are some already, and they are of all balancers: give them to one only')
    await app.register(metricsPlugin, metricsOptions(metrics, admin))
  }
  if (admin === false) return
  await app.register(adminRoutes, admin)
  if (dashboard !== false) await app.register(dashboardPlugin, dashboardOptions(dashboard, admin))
}

/** `fastify.register(balancer, options)`: the balancer, with health checks and circuit breakers unless they are `false`, and metrics, admin routes, a page and the shedding of load if they are asked for. */
export const balancer = fp(plugin, { fastify: '5.x', name: 'fastify-balancer' })
