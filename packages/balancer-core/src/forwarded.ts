import type { FastifyRequest } from 'fastify'
import type { ParsedOptions } from './options.ts'

const replaced = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'])

/** Will this field be written anew, so that the client's own does not cross? */
export function isReplaced(name: string, { xForwarded, forwarded }: ParsedOptions['forwarded']): boolean {
  return (xForwarded && replaced.has(name)) || (forwarded && name === 'forwarded')
}

/** RFC 7239 §6: an IPv6 address is bracketed, and quoted because of its colons. */
function node(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address
}

/**
 * Says who the client is. A peer that Fastify's `trustProxy` trusts has its fields appended to; anybody else's are
 * replaced, so that nobody can pretend to come from elsewhere.
 */
export function pushForwarded(out: string[], request: FastifyRequest, options: ParsedOptions['forwarded']): void {
  const peer = request.raw.socket.remoteAddress ?? 'unknown'
  const { headers } = request.raw
  // Fastify decides on trust: `ips` is there only with `trustProxy`, and reaches beyond the peer only if it is trusted.
  const { ips } = request
  const trusted = ips !== undefined && ips.length > 1
  const { protocol, host } = request
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
