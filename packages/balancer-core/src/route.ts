import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { METHODS } from 'node:http'
import type { Balancer } from './balancer.ts'
import { exchangeFor } from './exchange/exchange-for.ts'
import { forwardingBelow, guarded, type Forwarding } from './exchange/forwarding.ts'
import { logOnce, requestSerializers } from './app/fastify-lines.ts'
import { laneOf } from './response/choose-lane.ts'
import type { Lane } from './response/response-lane.ts'
import { setOwner } from './paths/route-kin.ts'
import { noteCatchAll } from './paths/unroutable.ts'

// CONNECT never reaches a route: Node emits its own event for it.
const methods = METHODS.filter((method) => method !== 'CONNECT')
/** Fastify runs no parser for these, and so never looks at their content type. */
const parserless = new Set(['GET', 'HEAD', 'TRACE'])

const readableType = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;|$)/

/**
 * Fastify would answer 415 to a content type that it cannot parse, and 400 to QUERY without one (RFC 10008 §2); the backend
 * should decide that. It gets what the client has sent.
 */
function overlookBadContentType(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  const type = request.raw.headers['content-type']
  if (type === undefined ? request.method === 'QUERY' : !readableType.test(type))
    request.headers = { 'content-type': 'application/octet-stream' }
  done()
}

/** The catch-all route: every method, bodies left as streams, in a scope of its own. */
async function route(scope: FastifyInstance, { balancer }: { balancer: Balancer }): Promise<void> {
  for (const method of methods)
    if (!scope.supportedMethods.includes(method)) scope.addHttpMethod(method, { hasBody: true })
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  logOnce(scope)

  const owner = {}
  function handler() {
    // Hooks and routes may be added until the app is ready, so the route's first request decides; and the first after a change.
    let lane: Lane | undefined
    let own: Forwarding | undefined
    function forward(request: FastifyRequest, reply: FastifyReply): void {
      if (own?.options !== balancer.options || lane === undefined) {
        own = guarded(forwardingBelow(balancer, scope.prefix), request)
        lane = laneOf(own.lane, reply)
      }
      exchangeFor(request, reply, own, lane).begin()
    }
    setOwner(forward, owner)
    return forward
  }
  const { constraints } = balancer.options
  const logSerializers = requestSerializers(scope.log, () => balancer.options.logQuery)
  const shared = { constraints, exposeHeadRoute: false, schema: { hide: true } as FastifySchema, logSerializers }
  for (const url of scope.prefix === '' ? ['/*'] : ['/', '/*']) {
    // @fastify/cors registers OPTIONS for all paths, for preflight requests that it answers itself.
    const isTaken = scope.hasRoute({ url: scope.prefix + url, method: 'OPTIONS', constraints })
    noteCatchAll(scope, scope.prefix + url, balancer)
    // One route per method: a plugin may add its hooks to some of them only.
    for (const method of methods) {
      if (method === 'OPTIONS' && isTaken) continue
      const hooks = parserless.has(method) ? {} : { onRequest: overlookBadContentType }
      scope.route({ ...shared, ...hooks, url, method, handler: handler() })
    }
  }
}

/** The route of a balancer, as `register` takes it. */
export function routeOf(balancer: Balancer) {
  // With a slash at its end, the prefix itself would not be forwarded.
  const prefix = balancer.options.prefix.replace(/\/+$/, '')
  return [route, { prefix, balancer }] as const
}
