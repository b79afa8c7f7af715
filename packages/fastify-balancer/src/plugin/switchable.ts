import type { FastifyInstance } from 'fastify'
import type { BalancerOptions } from './options.ts'
import { balancer } from './plugin.ts'
import { withSticky } from './sticky-option.ts'

/**
 * Registers a balancer whose health check, circuit breaker and mirror can be switched on later, by a change of its options,
 * where they are `false` now.
 */
export async function registerSwitchable(
  app: FastifyInstance,
  options: Omit<BalancerOptions, 'admin' | 'metrics' | 'dashboard' | 'underPressure'>,
): Promise<void> {
  const { healthCheck = {}, circuitBreaker = {}, mirror = false, sticky = false, ...others } = options
  await app.register(balancer, {
    ...others,
    sticky,
    healthCheck: healthCheck === false ? { type: 'none' } : healthCheck,
    circuitBreaker: circuitBreaker === false ? {} : circuitBreaker,
    mirror: mirror === false ? { to: [] } : mirror,
  })
  const beside = {
    ...(healthCheck === false && { 'health-check': false }),
    ...(circuitBreaker === false && { 'circuit-breaker': false }),
    ...(mirror === false && { mirror: false }),
  }
  if (Object.keys(beside).length === 0) return
  const change = await app.balancers.get(others.name ?? 'default')!.prepare(withSticky(others, sticky), { beside })
  change.commit()
}
