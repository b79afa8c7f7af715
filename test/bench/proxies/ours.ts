// A plain Fastify app with the balancer in front of everything: default options, or the lane that `--lane=` names, or as many
// connections to each backend as `--connections=` says.
import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import { announce, origins } from './serve.ts'

function option(name: string): string | undefined {
  const start = `--${name}=`
  return process.argv.find((argument) => argument.startsWith(start))?.slice(start.length)
}

const lane = option('lane')
const connections = option('connections')

const app = Fastify()
await app.register(balancer, {
  backends: origins,
  ...(lane !== undefined && { lane: lane as 'raw' | 'full' }),
  ...(connections !== undefined && { pool: { connections: Number(connections) } }),
} satisfies BalancerOptions)
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
announce(app.server)
