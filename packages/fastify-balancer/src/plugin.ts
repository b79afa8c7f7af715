import core from '@fastify-balancer/balancer-core'
import circuitBreakerPlugin from '@fastify-balancer/circuit-breaker'
import healthCheckPlugin from '@fastify-balancer/health-check'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { check, type BalancerOptions } from './options.ts'

async function plugin(app: FastifyInstance, given: BalancerOptions): Promise<void> {
  check(given)
  const { healthCheck = {}, circuitBreaker = {}, ...options } = given
  await app.register(core, options)
  const balancer = options.name ?? 'default'
  if (healthCheck !== false) await app.register(healthCheckPlugin, { ...healthCheck, balancer })
  if (circuitBreaker !== false) await app.register(circuitBreakerPlugin, { ...circuitBreaker, balancer })
}

/** `fastify.register(balancer, options)`: the balancer, with health checks and circuit breakers unless they are `false`. */
export const balancer = fp(plugin, { fastify: '5.x', name: 'fastify-balancer' })
