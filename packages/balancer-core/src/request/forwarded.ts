import type { FastifyRequest } from 'fastify'
import type { ForwardedOptions } from './forwarded-options.ts'

/** RFC 9440. */
const ofCertificate = new Set(['client-cert', 'client-cert-chain'])
const written = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'])

/**
 * A header name as CGI and WSGI read it: all characters other than letters and digits are equal there (RFC 3875
 * §4.1.18; Apache turns them into `_`), so that `X_Forwarded.For` is `X-Forwarded-For`.
 */
export function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')
}

const alsoOf = new WeakMap<ForwardedOptions, ReadonlySet<string>>()

function isAlso(name: string, options: ForwardedOptions): boolean {
  let names = alsoOf.get(options)
  if (names === undefined) alsoOf.set(options, (names = new Set(options.also.map(folded))))
  return names.has(name)
}

/**
 * Quick check whether a header of this name may tell about the client; it rules out almost all names. See `isWithheld`.
 */
export function mayTellOfClient(name: string, { also }: ForwardedOptions): boolean {
  if (also.length > 0) return true
  const { length } = name
  if (length < 9) return false
  const first = name.charCodeAt(0) | 0x20
  if (first === 102 /* f */) return length === 9
  if (first === 99 /* c */) return length === 11 || length === 17
  if (first !== 120 /* x */) return false
  const third = name.charCodeAt(2) | 0x20
  return third === 102 || (third === 114 /* r */ && length === 9)
}

/**
 * Must this header of the client be removed? From an untrusted peer: every header that tells about clients, in every
 * spelling, whether or not ours are sent. From a trusted peer: only those that are written anew.
 */
export function isWithheld(given: string, options: ForwardedOptions, trusted: boolean): boolean {
  const name = folded(given)
  if (name === 'forwarded') return options.forwarded || !trusted
  if (written.has(name)) return options.xForwarded || !trusted
  if (trusted) return false
  if (ofCertificate.has(name)) return true
  return name === 'x-real-ip' || name === 'x-forwarded' || name.startsWith('x-forwarded-') || isAlso(name, options)
}

/** RFC 7239 §6: an IPv6 address is bracketed, and quoted because of its colons. */
function node(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address
}

/** Does `trustProxy` trust the peer? */
export function isTrusted(request: FastifyRequest): boolean {
  // Without `trustProxy`, `request.ips` is undefined.
  if (!('ips' in request)) return false
  // Fastify has no property for it; it shows only in how Fastify treats a header from a trusted peer.
  const probe = Object.create(request, { headers: { value: { 'x-forwarded-proto': 'trusted' } } }) as FastifyRequest
  return (probe.protocol as string) === 'trusted'
}

/**
 * Tells the backend who the client is. Headers from a peer trusted by `trustProxy` are appended to; those from anybody
 * else are replaced, so that clients cannot fake their address.
 */
export function pushForwarded(
  out: string[],
  request: FastifyRequest,
  options: ForwardedOptions,
  authority: string | undefined,
  trusted: boolean,
): void {
  const peer = request.raw.socket.remoteAddress ?? 'unknown'
  const { headers } = request.raw
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
