// Room `plugin`: `register(balancer, options)`: the balancer and the plugins around it, from one options object.
import adaptiveLimitPlugin from '@fastify-balancer/adaptive-limit'
import core from '@fastify-balancer/balancer-core'
import circuitBreakerPlugin from '@fastify-balancer/circuit-breaker'
import fleetPlugin from '@fastify-balancer/fleet'
import healthCheckPlugin from '@fastify-balancer/health-check'
import mirrorPlugin from '@fastify-balancer/mirror'
import policiesPlugin from '@fastify-balancer/policies'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { administer } from './administration.ts'
import { check, pluginOptions, type BalancerOptions } from './options.ts'
import { withSticky } from './sticky-option.ts'
import { shedUnderPressure } from './under-pressure.ts'

async function plugin(app: FastifyInstance, given: BalancerOptions): Promise<void> {
  check(given)
  const {
    core: plain,
    sticky,
    healthCheck,
    circuitBreaker,
    adaptiveLimit,
    mirror,
    fleet,
    ...around
  } = pluginOptions(given)
  const { metrics, admin, dashboard, underPressure } = around
  const options = withSticky(plain, sticky)
  // Before the routes, so that its hook applies to them.
  if (underPressure !== false) await shedUnderPressure(app, underPressure)
  // Before backends are probed: what the other processes know comes first.
  if (fleet !== false && !app.hasDecorator('fleet')) await app.register(fleetPlugin, fleet)
  // Its policies can be named from here on.
  await app.register(policiesPlugin)
  await app.register(core, options)
  const balancer = options.name ?? 'default'
  if (healthCheck !== false) await app.register(healthCheckPlugin, { ...healthCheck, balancer })
  if (circuitBreaker !== false) await app.register(circuitBreakerPlugin, { ...circuitBreaker, balancer })
  if (adaptiveLimit !== false) await app.register(adaptiveLimitPlugin, { ...adaptiveLimit, balancer })
  if (mirror !== false) await app.register(mirrorPlugin, { ...mirror, balancer })
  await administer(app, { metrics, admin, dashboard })
}

/** `fastify.register(balancer, options)`: the balancer, with health checks and circuit breakers unless they are `false`; adaptive limits, a mirror, metrics, admin routes, dashboard and load shedding if they are given. */
export const balancer = fp(plugin, { fastify: '5.x', name: 'fastify-balancer' })
