// Prometheus metrics of every balancer of the server, in text or OpenMetrics, whichever is asked for. Only this machine
// may see them; put a hook with authentication there if others are to. Grafana's dashboard is in the package. Try
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
      if (ip !== '127.0.0.1' && ip !== '::1') await reply.code(403).send({ message: 'not from there' })
    },
  },
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
