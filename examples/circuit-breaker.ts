// A backend that fails three times in a row gets no requests for a while; then one trial request decides. Set BACKENDS
// to your own servers, and stop one of them. Try
//   curl $address/anything
//   curl $address/circuits
//   curl -X PUT $address/circuits/http%3A%2F%2F127.0.0.1%3A3001/isolation     no requests go there
//   curl -X DELETE $address/circuits/http%3A%2F%2F127.0.0.1%3A3001/isolation  requests go there again
// Protect such routes with an authentication hook: they can stop all traffic.
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { backends } from './stage/backends.ts'

const app = Fastify()
await app.register(balancer, {
  backends,
  // No probes: only the outcomes of requests count here.
  healthCheck: false,
  circuitBreaker: {
    // Opens after 3 failures in a row, at most 10 s apart, or when half of at least 20 requests within 30 s fail.
    failures: 3,
    window: 10_000,
    rate: { time: 30_000, failureShare: 0.5 },
    // For 10 s, then 20 s, 40 s and so on, as long as the trial request fails as well.
    openFor: 10_000,
    maxOpenFor: 60_000,
  },
})

app.get('/circuits', () => app.circuitBreaker.views)
app.put<{ Params: { id: string } }>('/circuits/:id/isolation', ({ params }) => {
  app.circuitBreaker.isolate(params.id, { reason: 'by hand', ttl: 60_000 })
  return app.circuitBreaker.of(params.id)
})
app.delete<{ Params: { id: string } }>('/circuits/:id/isolation', ({ params }) => {
  app.circuitBreaker.release(params.id)
  return app.circuitBreaker.of(params.id)
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
