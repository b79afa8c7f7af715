import type { FastifyInstance } from 'fastify'
import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http'
import { isElsewhere, routesOf } from './app-routes.ts'
import { asRouted, withoutQuery } from './path-spellings.ts'
import { patternsOf } from './route-pattern.ts'

/** Fastify's own property for the original target, when another one was routed. */
type Incoming = IncomingMessage & { originalUrl?: string }

/** What decides which route a request takes. */
type Routed = Pick<IncomingMessage, 'method' | 'url' | 'headers'>

/** The target from the client, and the one given to the router instead. */
interface Disguise {
  readonly given: string
  readonly routed: string
}

const disguises = new WeakMap<IncomingMessage, Disguise>()
/** By server, and by the key of their pattern: routes that forward, with those to whom they belong. */
const catchAlls = new WeakMap<object, Map<string, Set<object>>>()
const nobody: ReadonlySet<object> = new Set()
const watched = new WeakSet<Server>()

const malformed = /%(?![\da-f]{2})/gi

/**
 * Notes that this route forwards, with any method, for its owner: targets that the router would refuse are passed to it to
 * be refused there.
 */
export function noteCatchAll(scope: FastifyInstance, url: string, owner: object): void {
  const known = catchAlls.get(scope.server) ?? new Map<string, Set<object>>()
  catchAlls.set(scope.server, known)
  for (const { key } of patternsOf(url)) known.set(key, (known.get(key) ?? new Set()).add(owner))
}

/** The key of the route that a routable path takes; undefined if it takes none. */
function keyAt(app: FastifyInstance, method: string, path: string, headers: IncomingHttpHeaders): string | undefined {
  const routed = asRouted(path)
  const routes = routesOf(app).of(method)
  return routes.find((one) => one.pattern.matches(routed) && !isElsewhere(one, headers))?.pattern.key
}

/** Who owns the catch-all route of this key; nobody, if it is another route or none. */
export function ownersOf(app: FastifyInstance, key: string | undefined): ReadonlySet<object> {
  return (key === undefined ? undefined : catchAlls.get(app.server)?.get(key)) ?? nobody
}

/** Does a routable path take a catch-all route? */
function isForwardedAt(app: FastifyInstance, { method = '', headers }: Routed, path: string): boolean {
  return ownersOf(app, keyAt(app, method, path, headers)).size > 0
}

/** The key of the route that a request takes; undefined if it takes none. */
export function routeKeyOf(app: FastifyInstance, request: Routed): string | undefined {
  const { method = '', url = '', headers } = request
  const disguise = disguiseOf(url, (path) => isForwardedAt(app, request, path))
  const target = (disguise ?? url).replace(/^https?:\/\/[^/?]*/i, '')
  return keyAt(app, method, withoutQuery(target) || '/', headers)
}

/** Encodes escapes that are not UTF-8 once more: the router decodes paths as UTF-8, and refuses anything else. */
function escapeForeign(path: string): string {
  return path.replaceAll(/(?:%[89a-f][\da-f])+/gi, (run) =>
    isUtf8(Buffer.from(run.replaceAll('%', ''), 'hex')) ? run : run.replaceAll('%', '%25'),
  )
}

/** The path to give to the router instead of one that it would refuse, with or without a query. */
function disguiseOfPath(url: string, isForwarded: (path: string) => boolean): string | undefined {
  if (!url.includes('%')) return undefined
  const path = withoutQuery(url)
  const routable = escapeForeign(path).replaceAll(malformed, '%25')
  if (routable === path) return undefined
  // The app's own routes need not get malformed paths.
  if (path.search(malformed) !== -1 && !isForwarded(routable)) return undefined
  return routable + url.slice(path.length)
}

/** The same for a target; undefined if the router may get the target itself. */
function disguiseOf(url: string, isForwarded: (path: string) => boolean): string | undefined {
  if (url.charCodeAt(0) === 47 /* / */) return disguiseOfPath(url, isForwarded)
  const [origin] = /^https?:\/\/[^/?]*/i.exec(url) ?? []
  if (origin === undefined) return undefined
  if (url.includes('#') || !URL.canParse(url)) return isForwarded('/') ? '/' : undefined
  const path = disguiseOfPath(url.slice(origin.length), isForwarded)
  return path === undefined ? undefined : origin + path
}

/**
 * A path whose escapes are not UTF-8 is valid (RFC 3986 §2.1): this makes the router accept it. It also makes it accept
 * malformed targets that would be forwarded, so that they are refused where hooks, log and metrics see it. Until the
 * request is forwarded, hooks find the original target in `request.originalUrl`.
 */
export function routeUnroutable(app: FastifyInstance, server: Server): void {
  if (watched.has(server)) return
  watched.add(server)
  server.prependListener('request', (request: Incoming) => {
    const { url: given = '' } = request
    if (given.charCodeAt(0) === 47 && !given.includes('%')) return
    const routed = disguiseOf(given, (path) => isForwardedAt(app, request, path))
    if (routed === undefined) return
    disguises.set(request, { given, routed })
    request.originalUrl = given
    request.url = routed
  })
}

/** Does a path have a malformed escape? Servers refuse it (nginx), or disagree about its meaning. */
export function isMalformed(url = ''): boolean {
  return withoutQuery(url).search(malformed) !== -1
}

/** Restores the target that the client sent; false if it was not replaced. */
export function restoreUrl(request: Incoming): boolean {
  // For most requests, this rules it out.
  if (request.originalUrl === undefined) return false
  const disguise = disguises.get(request)
  if (disguise === undefined) return false
  // Fastify's `rewriteUrl` decides; the parts of the path that it kept are original.
  request.url =
    request.url === disguise.routed ? disguise.given : request.url!.replaceAll(/%25(?=[89a-f][\da-f])/gi, '%')
  return true
}
