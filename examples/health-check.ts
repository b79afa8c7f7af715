// Backends are asked for /health before the first request and every second after that; who is not well gets no traffic.
// Why, is at /why: the last judgements of each backend, with what was sent and what came back. Try
//   curl $address
//   curl $address/why
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { backends } from './stage/backends.ts'

const app = Fastify()
await app.register(balancer, {
  backends,
  slowStart: 10_000,
  healthCheck: { method: 'GET', path: '/health', expect: { statuses: [200] }, interval: 1000 },
})
app.get('/why', () => app.healthCheck)

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
