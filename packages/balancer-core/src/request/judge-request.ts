import type { IncomingMessage } from 'node:http'
import { hostFaultOf, isAuthority } from './authority.ts'

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
 * Says what is wrong with a request whose meaning a backend might read differently, or undefined. (RFC 9112 §3.2, §6.1,
 * §6.3; the smuggling cases of node-http-proxy and HTTP Garden.) A forwarded message is re-framed, never trusted.
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
  // A number could not hold it, and another length would be sent on.
  return Number.isSafeInteger(Number(length)) ? undefined : 'content-length beyond what can be counted'
}

/** Where a request is to go, in origin-form. */
export interface Target {
  readonly path: string
  /** The authority of an absolute-form target, which overrules Host (RFC 9112 §3.2.2). */
  readonly authority: string | undefined
}

/** The target in origin-form, byte for byte where it is one already; undefined where it cannot be accepted. */
export function targetOf(url: string): Target | undefined {
  if (forbiddenInTarget.test(url)) return undefined
  if (url.charCodeAt(0) === 47 /* / */) return { path: url, authority: undefined }
  const absolute = /^https?:\/\/([^/?]+)(.*)$/is.exec(url)
  if (absolute === null) return undefined
  const [, authority, rest] = absolute
  // Nor may it carry credentials: they are an old way to deceive (RFC 9110 §4.2.4).
  if (!isAuthority(authority!)) return undefined
  return { path: rest!.startsWith('/') ? rest! : `/${rest}`, authority }
}

/**
 * The target of `OPTIONS *`, which asks of the server as a whole: undici sends no bare asterisk, and absolute-form without
 * a path says the same (RFC 9112 §3.2.4).
 */
export function asteriskTarget(host: string): Target {
  return { path: `http://${host}`, authority: undefined }
}

/**
 * Takes the first `count` segments off the path, as many as the prefix has: the router has matched them, in whatever
 * encoding they came, and with whatever slashes were repeated. Undefined where there are fewer.
 */
export function withoutSegments(path: string, count: number): string | undefined {
  const query = path.indexOf('?')
  const end = query === -1 ? path.length : query
  let position = 0
  for (let taken = 0; taken < count; taken++) {
    while (path[position] === '/') position++
    if (position >= end) return undefined
    const slash = path.indexOf('/', position)
    position = slash === -1 || slash > end ? end : slash
  }
  return position === end ? `/${path.slice(end)}` : path.slice(position)
}
