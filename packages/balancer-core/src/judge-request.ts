import type { IncomingMessage } from 'node:http'

// Node's parser refuses most of these itself; an HTTP/2 listener or a lenient parser may not.
// oxlint-disable-next-line no-control-regex
const forbiddenInTarget = /[\u0000-\u0020\u007f#]/
const dotSegment = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i

function countHost(rawHeaders: readonly string[]): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (name.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count
}

/**
 * Says what is wrong with a request whose meaning a backend might read differently, or undefined. (RFC 9112 §3.2, §6.1,
 * §6.3; the smuggling cases of node-http-proxy and HTTP Garden.) A forwarded message is re-framed, never trusted.
 */
export function faultOf(request: IncomingMessage): string | undefined {
  const { rawHeaders, headers } = request
  if (countHost(rawHeaders) > 1) return 'more than one host'
  const coding = headers['transfer-encoding']
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') return 'unsupported transfer-encoding'
    if (headers['content-length'] !== undefined) return 'both transfer-encoding and content-length'
  }
  const length = headers['content-length']
  if (length !== undefined && !/^\d+$/.test(length)) return 'malformed content-length'
  return undefined
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
  const absolute = /^https?:\/\/([^/?@]+)(.*)$/is.exec(url)
  if (absolute === null) return undefined
  const [, authority, rest] = absolute
  return { path: rest!.startsWith('/') ? rest! : `/${rest}`, authority }
}

/**
 * The target of `OPTIONS *`, which asks of the server as a whole: undici sends no bare asterisk, and absolute-form without
 * a path says the same (RFC 9112 §3.2.4).
 */
export function asteriskTarget(host: string): Target {
  return { path: `http://${host}`, authority: undefined }
}

/** Does the path climb with `.` or `..`, plain or encoded? Below a prefix it could then leave it. */
export function climbs(path: string): boolean {
  const query = path.indexOf('?')
  return dotSegment.test(query === -1 ? path : path.slice(0, query))
}

/**
 * Takes the first `count` segments off the path, as many as the prefix has: the router has matched them, in whatever
 * encoding they came. Undefined where there are fewer.
 */
export function withoutSegments(path: string, count: number): string | undefined {
  const query = path.indexOf('?')
  const end = query === -1 ? path.length : query
  let position = 0
  for (let taken = 0; taken < count; taken++) {
    const slash = path.indexOf('/', position + 1)
    if (slash === -1 || slash > end) return taken === count - 1 ? `/${path.slice(end)}` : undefined
    position = slash
  }
  return path.slice(position)
}
