import type { ExchangeView } from '@fastify-balancer/balancer-core'
import type { Attributes } from '@opentelemetry/api'

/** The methods of RFC 9110, and PATCH: a client's made-up method must not become a span name. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])

/** The span name for a method, or its first part. */
export function methodName(method: string): string {
  return knownMethods.has(method) ? method : 'HTTP'
}

/** The method attributes of OpenTelemetry's HTTP conventions. */
export function methodAttributes(method: string): Attributes {
  return knownMethods.has(method)
    ? { 'http.request.method': method }
    : { 'http.request.method': '_OTHER', 'http.request.method_original': method }
}

/** Only the path: the query, and credentials in an absolute URL, may be secret. */
export function pathOf(url: string): string {
  const path = url.replace(/[?#].*$/s, '')
  if (path.startsWith('/') || path === '*') return path
  return /^[a-z][a-z\d+.-]*:\/\/[^/]*(\/.*)$/is.exec(path)?.[1] ?? '/'
}

/** The attributes of a request at its start. Never a header's value or the query. */
export function requestAttributes({ request, method, url, balancerName }: ExchangeView): Attributes {
  const { httpVersion, httpVersionMajor } = request.raw
  const attributes = methodAttributes(method)
  attributes['url.path'] = pathOf(url)
  // A trusted proxy's value is a header's value, so only these two are used.
  attributes['url.scheme'] = request.protocol === 'https' ? 'https' : 'http'
  attributes['network.protocol.version'] = httpVersionMajor === 1 ? httpVersion : String(httpVersionMajor)
  attributes['fastify_balancer.balancer'] = balancerName
  return attributes
}
