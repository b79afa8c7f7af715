import type { FastifyInstance } from 'fastify'
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, Server } from 'node:http'
import { routesOf } from './app-routes.ts'
import { asRouted, withoutQuery } from './path-spellings.ts'
import { patternsOf } from './route-pattern.ts'

/** Fastify's own place for what a client asked for, when another target was routed. */
type Incoming = IncomingMessage & { originalUrl?: string }

/** What a client asked for, and what the router was given in its place. */
interface Disguise {
  readonly given: string
  readonly routed: string
}

const disguises = new WeakMap<IncomingMessage, Disguise>()
const catchAlls = new WeakMap<object, Set<string>>()
const watched = new WeakSet<Server>()

const malformed = /%(?![\da-f]{2})/gi

/** Says that this route forwards, whatever its method: what its router would refuse unseen is for it to refuse. */
export function noteCatchAll(scope: FastifyInstance, url: string): void {
  const known = catchAlls.get(scope.server) ?? new Set()
  catchAlls.set(scope.server, known)
  for (const { key } of patternsOf(url)) known.add(key)
}

/** Escapes that are not UTF-8, once more: the router decodes paths as UTF-8, and refuses what is none. */
function escapeForeign(path: string): string {
  return path.replaceAll(/(?:%[89a-f][\da-f])+/gi, (run) =>
    isUtf8(Buffer.from(run.replaceAll('%', ''), 'hex')) ? run : run.replaceAll('%', '%25'),
  )
}

/** What the router is to be given for a path that it would refuse, with or without a query. */
function disguiseOfPath(url: string, isForwarded: (path: string) => boolean): string | undefined {
  if (!url.includes('%')) return undefined
  const path = withoutQuery(url)
  const routable = escapeForeign(path).replaceAll(malformed, '%25')
  if (routable === path) return undefined
  // Of a malformed path, the app's own routes need not hear.
  if (path.search(malformed) !== -1 && !isForwarded(routable)) return undefined
  return routable + url.slice(path.length)
}

/** The same for a target; undefined where the router may see the target itself. */
function disguiseOf(url: string, isForwarded: (path: string) => boolean): string | undefined {
  if (url.charCodeAt(0) === 47 /* / */) return disguiseOfPath(url, isForwarded)
  const [origin] = /^https?:\/\/[^/?]*/i.exec(url) ?? []
  if (origin === undefined) return undefined
  if (url.includes('#') || !URL.canParse(url)) return isForwarded('/') ? '/' : undefined
  const path = disguiseOfPath(url.slice(origin.length), isForwarded)
  return path === undefined ? undefined : origin + path
}

/**
 * A path whose escapes are not UTF-8 is valid (RFC 3986 §2.1): this lets the router take it. It also lets it take targets that are
 * malformed, if they would be forwarded: so that they are refused where hooks, log and metrics see it. Until the request is
 * forwarded, hooks find the client's own in `request.originalUrl`.
 */
export function routeUnroutable(app: FastifyInstance, server: Server): void {
  if (watched.has(server)) return
  watched.add(server)
  function isForwarded(method: string, path: string): boolean {
    const routed = asRouted(path)
    const route = routesOf(app)
      .of(method)
      .find(({ pattern }) => pattern.matches(routed))
    return route !== undefined && catchAlls.get(app.server)?.has(route.pattern.key) === true
  }
  server.prependListener('request', (request: Incoming) => {
    const { url: given = '' } = request
    if (given.charCodeAt(0) === 47 && !given.includes('%')) return
    const routed = disguiseOf(given, (path) => isForwarded(request.method ?? '', path))
    if (routed === undefined) return
    disguises.set(request, { given, routed })
    request.originalUrl = given
    request.url = routed
  })
}

/** Has a path an escape that is none? Servers refuse it (nginx), or differ about what it means. */
export function isMalformed(url = ''): boolean {
  return withoutQuery(url).search(malformed) !== -1
}

/** Gives a request back the target that its client has sent; false if the router has seen it as it was. */
export function restoreUrl(request: Incoming): boolean {
  // Most requests are known by this to have none.
  if (request.originalUrl === undefined) return false
  const disguise = disguises.get(request)
  if (disguise === undefined) return false
  // Fastify's `rewriteUrl` has the last word; what it has kept of the path is as it came.
  request.url =
    request.url === disguise.routed ? disguise.given : request.url!.replaceAll(/%25(?=[89a-f][\da-f])/gi, '%')
  return true
}
