import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyRequest, FastifySchema } from 'fastify'
import { METHODS } from 'node:http'
import { join, posix, sep } from 'node:path'
import { UnknownPageError } from './errors.ts'
import { immutable, securityHeaders } from './headers.ts'
import type { ParsedOptions } from './options.ts'
import { assets } from './built-page.ts'

/** Left out of what @fastify/swagger describes. */
const schema: FastifySchema & { readonly hide: true } = { hide: true }

/** What a scope of the page is given. */
export interface PageScope {
  readonly options: ParsedOptions
  /** Where the built page is. */
  readonly folder: string
}

function answerNothing({ method, url }: FastifyRequest): never {
  throw new UnknownPageError(method, url.slice(0, 200))
}

/** Hooks come in this order: a refusal has the headers too. */
function guard(scope: FastifyInstance, { onRequest }: ParsedOptions): void {
  scope.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(securityHeaders)
    done()
  })
  for (const hook of onRequest) scope.addHook('onRequest', hook)
}

/** What is not there, or not with that method: a balancer must not forward it. */
function addNothing(scope: FastifyInstance): void {
  const methods = METHODS.filter((method) => !['CONNECT', 'GET', 'HEAD'].includes(method))
  for (const method of methods)
    if (!scope.supportedMethods.includes(method)) scope.addHttpMethod(method, { hasBody: true })
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })
  for (const url of ['', '/*']) scope.route({ method: methods, url, schema, handler: answerNothing })
  scope.setNotFoundHandler(answerNothing)
}

/** The page, its files and its settings; everything below its path, and guarded. */
export async function pageRoutes(scope: FastifyInstance, { options, folder }: PageScope): Promise<void> {
  guard(scope, options)
  addNothing(scope)
  const { path, admin } = options
  // The balancer has a HEAD for every path, which would be taken otherwise.
  const shared = { method: 'GET', exposeHeadRoute: true, schema } as const

  scope.route({
    ...shared,
    url: '',
    async handler({ url }, reply) {
      // Relative, as somebody before us may have taken a prefix away. Where the router ignores the slash at the end, this
      // is asked with it, too.
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
