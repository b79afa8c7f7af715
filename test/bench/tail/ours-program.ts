// A plain Fastify app with the balancer, which chooses by the policy that is named first and ejects nothing.
import balancer, { type BalancerOptions } from 'fastify-balancer'
import Fastify from 'fastify'
import { announce, origins } from '../proxies/serve.ts'

const [policy] = process.argv.slice(2)

const app = Fastify()
await app.register(balancer, {
  backends: origins,
  policy,
  healthCheck: false,
  circuitBreaker: false,
} as BalancerOptions)
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
announce(app.server)
