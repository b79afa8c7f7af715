import type { ExchangeView } from '@fastify-balancer/balancer-core'
import type { Attributes } from '@opentelemetry/api'

/** Those of RFC 9110 and PATCH: a name that a client makes up must not become one of a span's. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])

/** How a span of this method is named, or begins to be. */
export function methodName(method: string): string {
  return knownMethods.has(method) ? method : 'HTTP'
}

/** The method, as OpenTelemetry's conventions for HTTP have it. */
export function methodAttributes(method: string): Attributes {
  return knownMethods.has(method)
    ? { 'http.request.method': method }
    : { 'http.request.method': '_OTHER', 'http.request.method_original': method }
}

/** The path alone: a query, or a name and password before the host of an absolute form, may be secrets. */
export function pathOf(url: string): string {
  const path = url.replace(/[?#].*$/s, '')
  if (path.startsWith('/') || path === '*') return path
  return /^[a-z][a-z\d+.-]*:\/\/[^/]*(\/.*)$/is.exec(path)?.[1] ?? '/'
}

/** What is known of a client's request when its exchange begins. No value of a header field, and no query. */
export function requestAttributes({ request, method, url, balancerName }: ExchangeView): Attributes {
  const { httpVersion, httpVersionMajor } = request.raw
  const attributes = methodAttributes(method)
  attributes['url.path'] = pathOf(url)
  // The one that trusted proxies in front may have named is a field's value, so no other than these two.
  attributes['url.scheme'] = request.protocol === 'https' ? 'https' : 'http'
  attributes['network.protocol.version'] = httpVersionMajor === 1 ? httpVersion : String(httpVersionMajor)
  attributes['fastify_balancer.balancer'] = balancerName
  return attributes
}
