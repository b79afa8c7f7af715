import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { METHODS } from 'node:http'
import type { Balancer } from './balancer.ts'
import { Exchange } from './exchange.ts'
import { forwardingOf } from './forwarding.ts'
import { laneOf } from './choose-lane.ts'
import type { Lane } from './lane.ts'

// CONNECT never reaches a route: Node hands it to its own event.
const methods = METHODS.filter((method) => method !== 'CONNECT')
/** Fastify runs no parser for these, and so never looks at their content type. */
const parserless = new Set(['GET', 'HEAD', 'TRACE'])

/** A content type that Fastify cannot read would be answered 415, though it is the backend's to judge. */
function overlookBadContentType(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  if (request.headers['content-type'] !== undefined && request.mediaType === undefined) {
    request.headers = { 'content-type': 'application/octet-stream' }
  }
  done()
}

/** The catch-all route: every method, bodies left as streams, in a scope of its own. */
export async function route(scope: FastifyInstance, { balancer }: { balancer: Balancer }): Promise<void> {
  for (const method of methods)
    if (!scope.supportedMethods.includes(method)) scope.addHttpMethod(method, { hasBody: true })
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

  const forwarding = forwardingOf(balancer, scope.prefix)
  // Hooks may be added until the app is ready, so the first request decides; the scope's routes share their hooks.
  let lane: Lane | undefined
  function forward(request: FastifyRequest, reply: FastifyReply): void {
    lane ??= laneOf(forwarding, reply)
    new Exchange(request, reply, forwarding, lane).begin()
  }
  const { constraints } = balancer.options
  const shared = { handler: forward, constraints, exposeHeadRoute: false, schema: { hide: true } as FastifySchema }
  for (const url of scope.prefix === '' ? ['/*'] : ['/', '/*']) {
    scope.route({ ...shared, url, method: methods.filter((method) => parserless.has(method)) })
    scope.route({
      ...shared,
      url,
      method: methods.filter((method) => !parserless.has(method)),
      onRequest: overlookBadContentType,
    })
  }
}
