import adminRoutes from '@fastify-balancer/admin-routes'
import core from '@fastify-balancer/balancer-core'
import circuitBreakerPlugin from '@fastify-balancer/circuit-breaker'
import healthCheckPlugin from '@fastify-balancer/health-check'
import metricsPlugin from '@fastify-balancer/metrics'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { check, type BalancerOptions } from './options.ts'

async function plugin(app: FastifyInstance, given: BalancerOptions): Promise<void> {
  check(given)
  const { healthCheck = {}, circuitBreaker = {}, metrics = false, admin = false, ...options } = given
  await app.register(core, options)
  const balancer = options.name ?? 'default'
  if (healthCheck !== false) await app.register(healthCheckPlugin, { ...healthCheck, balancer })
  if (circuitBreaker !== false) await app.register(circuitBreakerPlugin, { ...circuitBreaker, balancer })
  // They are of all balancers of the server, whichever asks for them.
  if (metrics !== false && !app.hasDecorator('balancerMetrics')) await app.register(metricsPlugin, metrics)
  if (admin !== false) await app.register(adminRoutes, admin)
}

/** `fastify.register(balancer, options)`: the balancer, with health checks and circuit breakers unless they are `false`, and metrics and admin routes if they are asked for. */
export const balancer = fp(plugin, { fastify: '5.x', name: 'fastify-balancer' })
