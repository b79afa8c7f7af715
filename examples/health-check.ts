// Backends are probed at /health before the first request and every second after that; unhealthy ones get no traffic.
// /why shows the latest decisions about each backend, with the probes behind them. Try
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
