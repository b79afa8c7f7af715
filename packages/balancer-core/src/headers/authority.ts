import type { IncomingHttpHeaders } from 'node:http'
import { isIPv6 } from 'node:net'

const registered = /^(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})+$/i
const future = /^v[\da-f]+\.[\w.~!$&'()*+,;=:-]+$/i
const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/

let lastValid: string | undefined

/**
 * Is it a host with or without a port, and nothing else (RFC 9112 §3.2, RFC 3986 §3.2)? A port may be empty; a host may not
 * (RFC 9110 §4.2.1). Credentials are no part of it.
 */
export function isAuthority(text: string): boolean {
  if (text === lastValid) return true
  const [, host, port = ''] = parts.exec(text) ?? []
  if (host === undefined || Number(port) > 65_535) return false
  if (host.startsWith('[')) {
    const literal = host.slice(1, -1)
    // A zone has no meaning for other machines (RFC 6874 §4).
    if (!future.test(literal) && (literal.includes('%') || !isIPv6(literal))) return false
  } else if (!registered.test(host)) return false
  lastValid = text
  return true
}

/** Normalised: lower case, without the default port of the scheme. */
function normal(authority: string, port: string): string {
  const text = authority.toLowerCase()
  return text.replace(text.endsWith(`:${port}`) ? /:\d+$/ : /:$/, '')
}

/** Do two authorities name the same server? */
export function areSameAuthority(one: string, other: string, scheme: 'http' | 'https' = 'http'): boolean {
  if (one === other) return true
  const port = scheme === 'https' ? '443' : '80'
  return normal(one, port) === normal(other, port)
}

/** The host that the router used: for HTTP/2, `:authority` if there is no `host`. */
export function hostOf(headers: IncomingHttpHeaders): string | undefined {
  return headers.host ?? (headers[':authority'] as string | undefined)
}

/** What is wrong with the host of a request. It may be empty (RFC 9112 §3.2). */
export function hostFaultOf(headers: IncomingHttpHeaders): string | undefined {
  const { host } = headers
  const authority = headers[':authority'] as string | undefined
  if (host !== undefined && host !== '' && !isAuthority(host)) return 'malformed host'
  if (authority === undefined) return undefined
  if (!isAuthority(authority)) return 'malformed :authority'
  // RFC 9113 §8.3.1.
  const scheme = headers[':scheme'] === 'https' ? 'https' : 'http'
  return host === undefined || areSameAuthority(host, authority, scheme) ? undefined : ':authority and host differ'
}
