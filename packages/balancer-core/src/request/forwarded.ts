import type { FastifyRequest } from 'fastify'
import type { ForwardedOptions } from './forwarded-options.ts'

const replaced = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'])

/** Will this field be written anew, so that the client's own does not cross? */
export function isReplaced(name: string, { xForwarded, forwarded }: ForwardedOptions): boolean {
  return (xForwarded && replaced.has(name)) || (forwarded && name === 'forwarded')
}

/** RFC 7239 §6: an IPv6 address is bracketed, and quoted because of its colons. */
function node(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address
}

/** Does `trustProxy` trust the peer? */
function isTrusted(request: FastifyRequest): boolean {
  // Without `trustProxy` there is no such list.
  if (request.ips === undefined) return false
  // Fastify does not say so in words, only by what it makes of a field that a trusted peer has sent.
  const probe = Object.create(request, { headers: { value: { 'x-forwarded-proto': 'trusted' } } }) as FastifyRequest
  return (probe.protocol as string) === 'trusted'
}

/**
 * Says who the client is. A peer that Fastify's `trustProxy` trusts has its fields appended to; anybody else's are
 * replaced, so that nobody can pretend to come from elsewhere.
 */
export function pushForwarded(
  out: string[],
  request: FastifyRequest,
  options: ForwardedOptions,
  authority: string | undefined,
): void {
  const peer = request.raw.socket.remoteAddress ?? 'unknown'
  const { headers } = request.raw
  const trusted = isTrusted(request)
  const { protocol } = request
  const host = authority ?? request.host
  if (options.xForwarded) {
    const chain = trusted ? headers['x-forwarded-for'] : undefined
    out.push('x-forwarded-for', chain === undefined ? peer : `${String(chain)}, ${peer}`)
    out.push('x-forwarded-proto', protocol)
    if (host !== '') out.push('x-forwarded-host', host)
  }
  if (options.forwarded) {
    const own = `for=${node(peer)};proto=${protocol}${host === '' ? '' : `;host="${host.replaceAll(/["\\]/g, '\\$&')}"`}`
    const chain = trusted ? headers.forwarded : undefined
    out.push('forwarded', chain === undefined ? own : `${chain}, ${own}`)
  }
}
