import { AnswerReader, type ProbeRequest } from './answer-reader.ts'
import { addressOf, connector } from './connection.ts'
import { defaultStatuses, statusMatcher } from './expectation.ts'
import { askHttp1 } from './http1-request.ts'
import { askHttp2 } from './http2-request.ts'
import type { ProbeOptions } from './probe-options.ts'
import type { Probe } from './probing.ts'

/** User-Agent, so that backends can distinguish probes from traffic in their logs. */
const userAgent = 'fastify-balancer-health-check'

/** The options for request and expected response. */
export type HttpProbeOptions = Pick<ProbeOptions, 'method' | 'path' | 'headers' | 'host' | 'port' | 'expect'>

function headersOf({ headers }: HttpProbeOptions): Record<string, string> {
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  return { 'user-agent': userAgent, ...Object.fromEntries(named) }
}

/**
 * Healthy = a response with an expected status, and body if one is expected. Uses the protocol of the traffic, over a
 * connection of its own; redirects are not followed.
 */
export function httpProbe(options: HttpProbeOptions): Probe {
  const { path, host, port, expect } = options
  const method = options.method.toUpperCase()
  const headers = headersOf(options)
  const isGood = statusMatcher(expect.statuses ?? defaultStatuses(method))
  const connect = connector(port)
  // A query may contain a secret.
  const shownPath = path.replace(/\?.*/, '?…')
  return (backend, probing) => {
    const ask = backend.protocol === 'http1' ? askHttp1 : askHttp2
    const { url, shown } = addressOf(backend, port)
    const { host: own, protocol } = url
    const { base } = backend
    probing.sent = `${method} ${shown}${base}${shownPath}`
    connect(backend, probing, (socket) => {
      const scheme = protocol.slice(0, -1)
      const request: ProbeRequest = { method, path: base + path, authority: host ?? own, scheme, headers }
      ask(socket, request, new AnswerReader(probing, isGood, expect.body), probing)
    })
  }
}
