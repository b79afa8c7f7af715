import { KnownHosts, quoted } from '@fastify-balancer/option-schema'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { join, posix, sep } from 'node:path'
import { assets } from './built-page.ts'
import { addCatchAll, hidden, type Constraints } from './catch-all.ts'
import { UnknownHostError } from './errors.ts'
import { immutable, securityHeaders } from './headers.ts'
import type { ParsedOptions } from './options.ts'

type RouteErrorHandler = NonNullable<RouteOptions['errorHandler']>

/**
 * @fastify/static hands each error to the app's error handler itself. Fastify's own then sends it to the next one, which is
 * the same, so that it is logged twice. Thrown, it reaches the app's error handler once.
 */
function passingOn(errorHandler: RouteErrorHandler): RouteErrorHandler {
  return function (error, request, reply) {
    // Of a client that left in the middle of a file.
    if (error.code === 'ERR_STREAM_PREMATURE_CLOSE') return errorHandler.call(this, error, request, reply)
    throw error
  }
}

/** Options of the page's scope. */
export interface PageScope {
  readonly options: ParsedOptions
  /** The folder of the built page. */
  readonly folder: string
  /** Constraints of balancers whose routes would win over the page's. */
  readonly constrained: readonly Constraints[]
}

/** In this order, so that refusals carry the headers too. */
function guard(scope: FastifyInstance, { onRequest, insecure, hosts }: ParsedOptions): void {
  scope.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(securityHeaders)
    done()
  })
  if (insecure || hosts !== undefined) {
    const known = new KnownHosts(hosts)
    scope.addHook('onRequest', (request, _reply, done) => {
      const unknown = known.unknownIn(request)
      done(unknown === undefined ? undefined : new UnknownHostError(quoted(unknown.slice(0, 200))))
    })
  }
  for (const hook of onRequest) scope.addHook('onRequest', hook)
}

/** The guarded routes of the page, its files and its settings. */
export async function pageRoutes(scope: FastifyInstance, { options, folder, constrained }: PageScope): Promise<void> {
  scope.addHook('onRoute', (route) => {
    // Read by @fastify/under-pressure: operators need the page of an overloaded process most.
    route.config = Object.assign({ pressureHandler: () => undefined }, route.config)
    if (route.errorHandler !== undefined) route.errorHandler = passingOn(route.errorHandler)
  })
  guard(scope, options)
  addCatchAll(scope, constrained)
  const { path, admin } = options
  // With HEAD, since the balancer's own HEAD route would match otherwise.
  const shared = { method: 'GET', exposeHeadRoute: true, schema: hidden } as const

  scope.route({
    ...shared,
    url: '',
    async handler({ url }, reply) {
      // Relative, since a proxy in front may have stripped a prefix. If the router ignores trailing slashes, this route also
      // gets the path with one.
      const to = new URL(url, 'http://localhost').pathname.endsWith('/') ? 'index.html' : `${posix.basename(path)}/`
      return reply.redirect(`./${to}`, 302)
    },
  })

  const settings = { admin: posix.relative(path, admin) }
  scope.route({ ...shared, url: '/settings.json', handler: async () => settings })

  const hashed = join(folder, assets) + sep
  await scope.register(fastifyStatic, {
    root: folder,
    decorateReply: false,
    cacheControl: false,
    dotfiles: 'ignore',
    setHeaders(reply, file) {
      if (file.startsWith(hashed)) void reply.header('cache-control', immutable)
    },
  })
}
