import type { FastifyContextConfig, FastifyInstance, FastifySchema } from 'fastify'
import { METHODS } from 'node:http'

/** Left out of what @fastify/swagger describes. */
const schema: FastifySchema & { readonly hide: true } = { hide: true }

/** Read by @fastify/under-pressure: the app that answers decides. */
const config = { pressureHandler: () => undefined } as FastifyContextConfig

/** What is handed over, and to whom. */
export interface HandOver {
  readonly to: FastifyInstance
  /** Patterns of routes. */
  readonly urls: readonly string[]
}

/**
 * Lets another app of the process answer these routes, with every method: admin routes are there once, however many ways in
 * there are. A balancer with constraints other than `host` would go first, so its constraints are handed over too.
 */
export async function handOver(scope: FastifyInstance, { to, urls }: HandOver): Promise<void> {
  const methods = METHODS.filter((method) => method !== 'CONNECT')
  for (const method of methods)
    if (!scope.supportedMethods.includes(method)) scope.addHttpMethod(method, { hasBody: true })
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  const constrained = [...to.balancers.values()]
    .map(({ options }) => options.constraints)
    .filter((constraints) => Object.keys(constraints).some((name) => name !== 'host'))
  for (const url of urls) {
    for (const constraints of [{}, ...constrained]) {
      const free = methods.filter((method) => !scope.hasRoute({ url, method, constraints }))
      if (free.length === 0) continue
      scope.route({
        method: free,
        url,
        constraints,
        schema,
        config,
        exposeHeadRoute: false,
        handler(request, reply) {
          reply.hijack()
          to.routing(request.raw, reply.raw)
        },
      })
    }
  }
}
