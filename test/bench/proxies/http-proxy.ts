import httpProxy from '@fastify/http-proxy'
import Fastify from 'fastify'
import { announce, origin } from './serve.ts'

const app = Fastify()
await app.register(httpProxy, { upstream: origin, websocket: process.argv.includes('--websocket') })
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
announce(app.server)
