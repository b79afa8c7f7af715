import type { FastifyRequest } from 'fastify'
import type { ForwardedOptions } from './forwarded-options.ts'

const written = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'])

/**
 * A name as CGI and WSGI read it: whatever is neither a letter nor a digit is one and the same there (RFC 3875 §4.1.18;
 * Apache takes every such character for `_`), so that `X_Forwarded.For` is `X-Forwarded-For`.
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

/** May a field of this name tell of a client? Cheap, for the names of which almost none do: see `isWithheld`. */
export function mayTellOfClient(name: string, { also }: ForwardedOptions): boolean {
  if (also.length > 0) return true
  const { length } = name
  if (length < 9) return false
  const first = name.charCodeAt(0) | 0x20
  if (first === 102 /* f */) return length === 9
  if (first !== 120 /* x */) return false
  const third = name.charCodeAt(2) | 0x20
  return third === 102 || (third === 114 /* r */ && length === 9)
}

/**
 * Does this field of the client's not cross? All that tells of clients goes when it comes from a peer that is not trusted, in
 * every spelling, whether or not ours are sent; from one that is trusted, only what is written anew.
 */
export function isWithheld(given: string, options: ForwardedOptions, trusted: boolean): boolean {
  const name = folded(given)
  if (name === 'forwarded') return options.forwarded || !trusted
  if (written.has(name)) return options.xForwarded || !trusted
  if (trusted) return false
  return name === 'x-real-ip' || name === 'x-forwarded' || name.startsWith('x-forwarded-') || isAlso(name, options)
}

/** RFC 7239 §6: an IPv6 address is bracketed, and quoted because of its colons. */
function node(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address
}

/** Does `trustProxy` trust the peer? */
export function isTrusted(request: FastifyRequest): boolean {
  // Without `trustProxy` there is no such list.
  if (!('ips' in request)) return false
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
