import type { IncomingMessage } from 'node:http'
import { hostFaultOf, isAuthority } from '../headers/authority.ts'

// Node's parser refuses most of these itself; an HTTP/2 listener or a lenient parser may not.
// oxlint-disable-next-line no-control-regex
const forbiddenInTarget = /[\u0000-\u0020\u007f#]/

function occurrences(rawHeaders: readonly string[], wanted: string): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (name.length === wanted.length && name.toLowerCase() === wanted) count++
  }
  return count
}

/**
 * Why a request is ambiguous, so that a backend might read it differently; undefined if it is not. (RFC 9112 §3.2,
 * §6.1, §6.3; the smuggling cases of node-http-proxy and HTTP Garden.) Forwarded messages always get new framing.
 */
export function faultOf(request: IncomingMessage): string | undefined {
  const { rawHeaders, headers } = request
  if (occurrences(rawHeaders, 'host') > 1) return 'more than one host'
  const hostFault = hostFaultOf(headers)
  if (hostFault !== undefined) return hostFault
  const coding = headers['transfer-encoding']
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') return 'unsupported transfer-encoding'
    if (headers['content-length'] !== undefined) return 'both transfer-encoding and content-length'
  }
  const length = headers['content-length']
  if (length === undefined) return undefined
  if (!/^\d+$/.test(length)) return 'malformed content-length'
  if (occurrences(rawHeaders, 'content-length') > 1) return 'more than one content-length'
  // A JavaScript number cannot hold it exactly, so another length would be sent.
  return Number.isSafeInteger(Number(length)) ? undefined : 'content-length too large'
}

/** The target of a request in origin-form. */
export interface Target {
  readonly path: string
  /** The authority of an absolute-form target, which overrides Host (RFC 9112 §3.2.2). */
  readonly authority: string | undefined
}

/** The target in origin-form, unchanged if it is in that form already; undefined if it is not acceptable. */
export function targetOf(url: string): Target | undefined {
  if (forbiddenInTarget.test(url)) return undefined
  if (url.charCodeAt(0) === 47 /* / */) return { path: url, authority: undefined }
  const absolute = /^https?:\/\/([^/?]+)(.*)$/is.exec(url)
  if (absolute === null) return undefined
  const [, authority, rest] = absolute
  // Nor may it carry credentials, which are used for phishing (RFC 9110 §4.2.4).
  if (!isAuthority(authority!)) return undefined
  return { path: rest!.startsWith('/') ? rest! : `/${rest}`, authority }
}

/**
 * The target of `OPTIONS *`, which concerns the whole server: undici cannot send a bare asterisk, and absolute-form
 * without a path means the same (RFC 9112 §3.2.4).
 */
export function asteriskTarget(host: string): Target {
  return { path: `http://${host}`, authority: undefined }
}
