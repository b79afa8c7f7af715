// A balancer that listens, with a log, in a process of its own: to see what it makes of the limits that it is given.
import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'

const app = Fastify({ logger: true })
await app.register(balancer, {})
await app.listen({ port: 0, host: '127.0.0.1' })
