// Looks on from outside, as an APM does: the balancer tells diagnostics channels what happens, at no cost while nobody
// listens. Prints one span for each attempt, and hands the trace on to the backend (W3C traceparent).
import Fastify, { type FastifyRequest } from 'fastify'
import balancer, { type Attempt } from 'fastify-balancer'
import { randomBytes } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { backends } from './stage/backends.ts'

const traces = new WeakMap<FastifyRequest, string>()

subscribe('balancer-core:attempt:end', (message) => {
  const { exchange, backend, number, outcome, status, startedAt, endedAt } = (message as { attempt: Attempt }).attempt
  const duration = endedAt - startedAt
  console.log(
    JSON.stringify({ trace: traces.get(exchange.request), number, backend: backend.id, outcome, status, duration }),
  )
})

const app = Fastify()
await app.register(balancer, {
  backends,
  rewrite: {
    request({ in: request, out }) {
      const trace = randomBytes(16).toString('hex')
      traces.set(request, trace)
      out.headers.traceparent = `00-${trace}-${randomBytes(8).toString('hex')}-01`
    },
  },
})

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
