export * from '@fastify-balancer/balancer-core'
export { default } from '@fastify-balancer/balancer-core'
