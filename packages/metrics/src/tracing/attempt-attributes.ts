import type { Attempt, Backend } from '@fastify-balancer/balancer-core'
import type { Attributes } from '@opentelemetry/api'
import { methodAttributes } from './request-attributes.ts'

const addresses = new WeakMap<Backend, Attributes>()

/** The address attributes of a backend, computed once for each. */
function addressOf(backend: Backend): Attributes {
  let address = addresses.get(backend)
  if (address === undefined) {
    const { protocol, port } = new URL(backend.origin)
    const scheme = protocol.slice(0, -1)
    const { socketPath } = backend
    address = {
      'url.scheme': scheme,
      // Of a Unix socket, its path, and no port.
      'server.address': socketPath ?? backend.hostname,
      ...(socketPath === undefined && { 'server.port': Number(port) || (scheme === 'https' ? 443 : 80) }),
      'fastify_balancer.backend': backend.id,
    }
    addresses.set(backend, address)
  }
  return address
}

/** The attributes of an attempt at its start. */
export function attemptAttributes({ exchange, backend, number, hedge }: Attempt): Attributes {
  const attributes = Object.assign(methodAttributes(exchange.method), addressOf(backend))
  attributes['fastify_balancer.balancer'] = exchange.balancerName
  if (hedge) attributes['fastify_balancer.hedge'] = true
  if (number > 1) attributes['http.request.resend_count'] = number - 1
  return attributes
}
