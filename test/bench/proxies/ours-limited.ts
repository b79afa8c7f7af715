// Backends that take few requests at once, so that most have to wait, or are refused.
import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import { announce, origins } from './serve.ts'

const maxInFlight = Number(process.argv.find((argument) => argument.startsWith('--places='))!.slice('--places='.length))

const app = Fastify()
await app.register(balancer, { backends: origins.map((url) => ({ url, maxInFlight })) })
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
announce(app.server)
