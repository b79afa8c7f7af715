import type { FastifyInstance } from 'fastify'
import { pluginOptions, type BalancerOptions } from './options.ts'
import { balancer } from './plugin.ts'
import { withSticky } from './sticky-option.ts'

/**
 * Registers a balancer whose health check, circuit breaker, adaptive limits and mirror can be switched on later, by a change of
 * its options, where they are `false` now.
 */
export async function registerSwitchable(
  app: FastifyInstance,
  options: Omit<BalancerOptions, 'admin' | 'metrics' | 'dashboard' | 'underPressure'>,
): Promise<void> {
  const { core, sticky, healthCheck, circuitBreaker, adaptiveLimit, mirror, fleet } = pluginOptions(options)
  await app.register(balancer, {
    ...core,
    sticky,
    fleet,
    healthCheck: healthCheck === false ? { type: 'none' } : healthCheck,
    circuitBreaker: circuitBreaker === false ? {} : circuitBreaker,
    adaptiveLimit: adaptiveLimit === false ? {} : adaptiveLimit,
    mirror: mirror === false ? { to: [] } : mirror,
  })
  const beside = {
    ...(healthCheck === false && { 'health-check': false }),
    ...(circuitBreaker === false && { 'circuit-breaker': false }),
    ...(adaptiveLimit === false && { 'adaptive-limit': false }),
    ...(mirror === false && { mirror: false }),
  }
  if (Object.keys(beside).length === 0) return
  const change = await app.balancers.get(core.name ?? 'default')!.prepare(withSticky(core, sticky), { beside })
  change.commit()
}
