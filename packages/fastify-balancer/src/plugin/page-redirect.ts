import type { FastifyContextConfig, FastifyInstance, FastifySchema, onRequestHookHandler } from 'fastify'
import { posix } from 'node:path'
import type { PageOptions } from './dashboard-options.ts'

/** Hides the route from @fastify/swagger. */
const schema: FastifySchema & { readonly hide: true } = { hide: true }

/** Read by @fastify/under-pressure: an overloaded process must stay operable. */
const config = { pressureHandler: () => undefined } as FastifyContextConfig

async function redirectRoute(scope: FastifyInstance, { path, admin, onRequest = [] }: PageOptions): Promise<void> {
  scope.route({
    method: 'GET',
    url: '/',
    schema,
    config,
    exposeHeadRoute: true,
    onRequest: onRequest as onRequestHookHandler | onRequestHookHandler[],
    async handler({ url }, reply) {
      // Relative, since a proxy in front may have stripped a prefix.
      const from = new URL(url, 'http://localhost').pathname.endsWith('/') ? admin : posix.dirname(admin)
      return reply.redirect(`./${posix.relative(from, path)}/`, 302)
    },
  })
}

/** Redirects the admin routes' prefix to the dashboard, for clients that may see it. */
export async function leadToPage(app: FastifyInstance, page: PageOptions): Promise<void> {
  await app.register(async (scope) => redirectRoute(scope, page), { prefix: page.admin })
}
