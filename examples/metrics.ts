// Prometheus metrics of every balancer of the server, as text or OpenMetrics by the Accept header. Here only this
// machine may read them; use an authentication hook for others. A Grafana dashboard is in the package. Try
//   curl $address/anything
//   curl $address/metrics
//   curl -H 'accept: application/openmetrics-text' $address/metrics
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { backends } from './stage/backends.ts'

const app = Fastify()
await app.register(balancer, {
  backends,
  metrics: {
    async onRequest({ ip }, reply) {
      if (ip !== '127.0.0.1' && ip !== '::1') await reply.code(403).send({ message: 'only from this machine' })
    },
  },
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
