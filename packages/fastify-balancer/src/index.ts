export * from '@fastify-balancer/balancer-core'
export { Circuit, CircuitOpenError } from '@fastify-balancer/circuit-breaker'
export { BalancerOptions } from './options.ts'
export { balancer as default, balancer } from './plugin.ts'
