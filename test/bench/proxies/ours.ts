// A plain Fastify app with the balancer in front of everything: default options, or the lane that `--lane=` names, or as many
// connections to each backend as `--connections=` says. `--http2`: it listens for HTTP/2; `--protocol=`: that of backends.
import balancer, { listenerDefaults, type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import { announce, origins } from './serve.ts'

function option(name: string): string | undefined {
  const start = `--${name}=`
  return process.argv.find((argument) => argument.startsWith(start))?.slice(start.length)
}

const lane = option('lane')
const connections = option('connections')
const protocol = option('protocol')
const isHttp2 = process.argv.includes('--http2')

const app = (isHttp2 ? Fastify({ http2: true, ...listenerDefaults() }) : Fastify()) as unknown as FastifyInstance
await app.register(balancer, {
  backends: origins,
  ...(lane !== undefined && { lane: lane as 'raw' | 'full' }),
  pool: {
    ...(connections !== undefined && { connections: Number(connections) }),
    ...(protocol !== undefined && { protocol: protocol as 'h2c' }),
  },
} satisfies BalancerOptions)
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
announce(app.server)
