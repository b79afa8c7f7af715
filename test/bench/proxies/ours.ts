// A plain Fastify app with the balancer in front of everything: default options, or the lane that `--lane=` names.
import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import { announce, origins } from './serve.ts'

const lane = process.argv.find((argument) => argument.startsWith('--lane='))?.slice('--lane='.length)

const app = Fastify()
await app.register(balancer, {
  backends: origins,
  ...(lane !== undefined && { lane: lane as 'raw' | 'full' }),
} satisfies BalancerOptions)
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
announce(app.server)
