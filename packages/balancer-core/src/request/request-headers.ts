import type { FastifyRequest } from 'fastify'
import { folded, isTrusted, isWithheld, mayTellOfClient, pushForwarded } from './forwarded.ts'
import { isHopByHop, nominated } from '../headers/hop-by-hop.ts'
import { announced } from './request-trailers.ts'
import { clientCertificate } from './client-certificate.ts'
import type { ForwardedOptions } from './forwarded-options.ts'

/** Lengths of the names that need special treatment, in addition to hop-by-hop ones. */
const special = new Set(['host', 'cookie', 'expect', 'trailer', 'via', 'content-length'])
const lengths = new Set([...special].map((name) => name.length))
const possible = Array.from({ length: 32 }, (_, length) => lengths.has(length))

/** Settings for the headers to send. */
export interface HeaderRules {
  readonly forwarded: ForwardedOptions
  /** The Host that the backend sees; undefined for its own. */
  readonly host: string | undefined
  /** The authority of the request line, if any: it overrides Host. */
  readonly authority: string | undefined
  /** The header that carries the request's id, if any. */
  readonly requestId: string | false
  /** A hook has replaced the body: the client's length and encoding do not apply. */
  readonly bodyReplaced: boolean
  /** Trailers can follow the body: then its length is not sent. */
  readonly mayTrail: boolean
}

/**
 * The headers to send, as flat pairs: the client's, with case, order and repetitions kept, without hop-by-hop ones;
 * then ours. Headers listed in `Connection` are determined before ours are added, so a client cannot remove those.
 */
export function requestHeaders(
  request: FastifyRequest,
  { forwarded, host, authority, requestId, bodyReplaced, mayTrail }: HeaderRules,
): string[] {
  const { rawHeaders, headers, httpVersion, httpVersionMajor } = request.raw
  const nominees = nominated(headers.connection)
  const out = host === undefined ? [] : ['host', host]
  const trusted = isTrusted(request)
  let hasCookie = false
  let hasId = false
  let via: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    const value = rawHeaders[index + 1]!
    if (isHopByHop(name)) continue
    if (possible[name.length] === true) {
      const lower = name.toLowerCase()
      if (lower === 'content-length') {
        if (!bodyReplaced && !mayTrail) out.push(name, value)
        continue
      }
      if (lower === 'trailer') {
        const names = mayTrail ? announced(value) : undefined
        if (names !== undefined) out.push(name, names)
        continue
      }
      if (lower === 'host' || lower === 'expect') continue
      // HTTP/2 may split `cookie`; elsewhere it must be one field (RFC 9113 §8.2.3). Node has joined it.
      if (lower === 'cookie' && httpVersionMajor === 2) {
        if (!hasCookie) out.push(name, headers.cookie!)
        hasCookie = true
        continue
      }
      if (lower === 'via' && forwarded.via) {
        via = via === undefined ? value : `${via}, ${value}`
        continue
      }
    }
    if (name.charCodeAt(0) === 58 /* : */) continue
    if (mayTellOfClient(name, forwarded) && isWithheld(name, forwarded, trusted)) continue
    if (requestId !== false && name.length === requestId.length && folded(name) === folded(requestId)) {
      if (!trusted) continue
      hasId = true
    }
    if (nominees !== null && nominees.has(name.toLowerCase())) continue
    if (bodyReplaced && name.toLowerCase() === 'content-encoding') continue
    out.push(name, value)
  }
  if (headers.te !== undefined && /(?:^|,)\s*trailers\s*(?:,|;|$)/i.test(String(headers.te))) out.push('te', 'trailers')
  if (forwarded.xForwarded || forwarded.forwarded) pushForwarded(out, request, forwarded, authority, trusted)
  // The certificate of a trusted peer is that of a proxy.
  if (forwarded.clientCert && !trusted) out.push(...clientCertificate(request.raw))
  if (requestId !== false && !hasId) out.push(requestId, request.id)
  if (forwarded.via) out.push('via', `${via === undefined ? '' : `${via}, `}${httpVersion} fastify-balancer`)
  return out
}
