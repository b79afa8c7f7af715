import { areSameAuthority, isAuthority } from '../headers/authority.ts'

/** How the paths of one request differ for the client and for the backend, and how each of them calls the server. */
export interface TwoViews {
  /** What the paths of clients begin with, and those of the backend in its place. Neither has a slash at its end. */
  readonly outer: string
  readonly inner: string
  /** `http` or `https`. */
  readonly clientScheme: string
  readonly backendScheme: string
  /** Host and port of the server, as the client has them: the one that it is sent to comes first. */
  readonly clientAuthorities: readonly string[]
  /** The backend's own, and the host that it was asked for. */
  readonly backendAuthorities: readonly string[]
}

const dotSegment = /\/\.{1,2}(?:[/?#]|$)/

/** The path without its dot segments (RFC 3986 §5.2.4). */
function withoutDotSegments(path: string): string {
  const [, bare = '', rest = ''] = /^([^?#]*)(.*)$/s.exec(path)!
  const segments = bare.split('/').slice(1)
  const kept: string[] = []
  for (const segment of segments) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  const isOpen = /^\.{1,2}$/.test(segments.at(-1)!)
  return `/${kept.join('/')}${isOpen && kept.length > 0 ? '/' : ''}${rest}`
}

/** What follows a prefix; undefined if the path is not below it. */
export function below(path: string, prefix: string): string | undefined {
  if (!path.startsWith(prefix)) return undefined
  const next = path[prefix.length]
  return prefix === '' || next === undefined || '/?#'.includes(next) ? path.slice(prefix.length) : undefined
}

/** A path that begins with two slashes would name another server, to browsers also with backslashes and around tabs. */
function asPath(path: string): string {
  return /^\/\t*[/\\]/.test(path) ? `/.${path}` : path
}

/** The path of clients for one of the backend; undefined if clients have none for it. */
function pathFor(path: string, { outer, inner }: TwoViews): string | undefined {
  const rest = below(dotSegment.test(path) ? withoutDotSegments(path) : path, inner)
  if (rest === undefined) return undefined
  const made = outer + rest
  return made.startsWith('/') ? made : `/${made}`
}

/**
 * The same for the path of a cookie: with a slash at its end, that would not be for the prefix itself. Clients write the
 * prefix, and what follows a semicolon there would be another attribute, such as a domain.
 */
export function cookiePathFor(path: string, views: TwoViews): string {
  const made = pathFor(path, views)
  const kept = made === `${views.outer}/` && views.outer !== '' ? views.outer : (made ?? path)
  return kept.replaceAll(';', '%3B')
}

function isOneOf(authorities: readonly string[], authority: string, scheme: string): boolean {
  return authorities.some((one) => areSameAuthority(one, authority, scheme === 'https' ? 'https' : 'http'))
}

/** The beginning of a reference to our own server: empty, unless the backend wants another scheme than both sides have. */
function originFor(scheme: string, { clientScheme, backendScheme, clientAuthorities }: TwoViews): string {
  const authority = clientAuthorities.find((one) => isAuthority(one))
  return scheme === clientScheme || scheme === backendScheme || authority === undefined
    ? ''
    : `${scheme}://${authority}`
}

/**
 * What clients get in place of a reference (RFC 3986 §4.1) that the backend has sent: one to the backend itself leads to
 * our server, and a path below its prefix becomes one below ours. Any other stays as it is.
 */
export function referenceFor(text: string, views: TwoViews): string {
  if (/^\/(?!\/)/.test(text)) {
    const path = pathFor(text, views)
    return path === undefined || path === text ? text : asPath(path)
  }
  const [, start, scheme, full, rest] = /^((?:(https?):)?\/\/)([^/?#\\]*)(.*)$/is.exec(text) ?? []
  if (full === undefined) return text
  const named = scheme?.toLowerCase() ?? views.clientScheme
  const authority = full.slice(full.lastIndexOf('@') + 1)
  const path = rest!.startsWith('/') ? rest! : `/${rest}`
  if (isOneOf(views.clientAuthorities, authority, named)) {
    const made = pathFor(path, views)
    return made === undefined || made === path ? text : `${start}${full}${made}`
  }
  if (!isOneOf(views.backendAuthorities, authority, named)) return text
  const origin = originFor(named, views)
  const made = pathFor(path, views) ?? path
  return origin === '' ? asPath(made) : origin + made
}
