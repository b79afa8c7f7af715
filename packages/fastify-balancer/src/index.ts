export * from '@fastify-balancer/balancer-core'
export { AnyOf, Circuit, CircuitOpenError, Consecutive, Rate } from '@fastify-balancer/circuit-breaker'
export { BalancerOptions } from './plugin/options.ts'
export { balancer as default, balancer } from './plugin/plugin.ts'
