// Observes the balancer through diagnostics channels, as an APM does; without subscribers they cost nothing. Prints one
// span for each attempt, and passes it to the backend (W3C traceparent). For OpenTelemetry, just set `metrics: {
// tracing: true }`.
import Fastify from 'fastify'
import balancer, { type Attempt } from 'fastify-balancer'
import { randomBytes } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { backends } from './stage/backends.ts'

/** Every attempt of an exchange is a span of the same trace. */
const traces = new WeakMap<object, string>()
const spans = new WeakMap<Attempt, string>()

subscribe('balancer-core:attempt:start', (message) => {
  const { attempt } = message as { attempt: Attempt }
  const trace = traces.get(attempt.exchange) ?? randomBytes(16).toString('hex')
  const span = randomBytes(8).toString('hex')
  traces.set(attempt.exchange, trace)
  spans.set(attempt, span)
  attempt.setHeader('traceparent', `00-${trace}-${span}-01`)
})

subscribe('balancer-core:attempt:end', (message) => {
  const { attempt } = message as { attempt: Attempt }
  const { exchange, backend, number, outcome, status, startedAt, endedAt } = attempt
  const trace = traces.get(exchange)
  const span = spans.get(attempt)
  const duration = endedAt - startedAt
  console.log(JSON.stringify({ trace, span, number, backend: backend.id, outcome, status, duration }))
})

const app = Fastify()
await app.register(balancer, { backends })

console.log(await app.listen({ port: Number(process.env.PORT ?? 0) }))
process.once('SIGTERM', () => void app.close())
