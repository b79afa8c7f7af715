import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { performance } from 'node:perf_hooks'
import { formatHeader, reportHeader } from './report-header.ts'

const startedAt = Symbol('startedAt')

declare module 'fastify' {
  interface FastifyRequest {
    [startedAt]: number
  }
}

/** What a new response counts for in the mean. */
const share = 0.1

async function plugin(app: FastifyInstance): Promise<void> {
  let inFlight = 0
  let latency = 0
  app.decorateRequest(startedAt, 0)
  app.addHook('onRequest', async (request, reply) => {
    inFlight++
    reply.raw.once('close', () => inFlight--)
    request[startedAt] = performance.now()
  })
  app.addHook('onSend', async (request, reply) => {
    const duration = performance.now() - request[startedAt]
    if (request[startedAt] > 0) latency += share * (duration - latency)
    const format = request.headers[formatHeader]
    const figures = { requests_in_flight: inFlight, latency_ms: Number(latency.toFixed(3)) }
    if (format === 'json') reply.header(reportHeader, `JSON ${JSON.stringify({ named_metrics: figures })}`)
    else if (format === 'text') reply.header(reportHeader, `TEXT ${textOf(figures)}`)
  })
}

function textOf(figures: Readonly<Record<string, number>>): string {
  return Object.entries(figures)
    .map(([name, value]) => `named_metrics.${name}=${value}`)
    .join(', ')
}

/**
 * For backends: `app.register(reportLoad)`, before routes. Each response, also an error, then tells how many requests are
 * in flight there and how long they take to their headers on average, if the request asks for that (header
 * `endpoint-load-metrics-format: text` or `json`), in ORCA's format.
 */
export const reportLoad = fp(plugin, { fastify: '5.x', name: '@fastify-balancer/policies/backend' })
