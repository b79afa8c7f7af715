// A plain Fastify app with the balancer and all that looks after the health of its backends, with default options.
// `--policy=` names another policy, `--unchecked` leaves the checks out, `--headers=` is how many ms to wait for headers.
import balancer, { type PolicyName } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import { parseArgs } from 'node:util'
import { announce, origins } from './serve.ts'

const { policy, unchecked, headers } = parseArgs({
  options: {
    policy: { type: 'string', default: 'round-robin' },
    unchecked: { type: 'boolean', default: false },
    headers: { type: 'string', default: '30000' },
  },
  allowPositionals: true,
}).values

const app = Fastify()
await app.register(balancer, {
  backends: origins,
  policy: policy as PolicyName,
  timeouts: { headers: Number(headers) },
})
if (!unchecked) {
  await app.register(import('@fastify-balancer/health-check'))
  await app.register(import('@fastify-balancer/circuit-breaker'))
}
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
announce(app.server)
