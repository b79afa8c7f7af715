import { hookList, KnownHosts, quoted } from '@fastify-balancer/option-schema'
import type { FastifyContextConfig, FastifyInstance, FastifySchema, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { prefersOpenMetrics } from './exposition/accept.ts'
import { BalancerMetrics } from './balancer-metrics.ts'
import { mediaTypeOf } from './exposition/exposition.ts'
import { UnknownHostError } from './errors.ts'
import { parseOptions, type MetricsOptions, type ParsedOptions } from './options.ts'
import { Scrapes } from './scrapes.ts'
import { loadOpenTelemetry } from './tracing/open-telemetry.ts'
import { Tracing } from './tracing/tracing.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The metrics of every balancer of this server. */
    balancerMetrics: BalancerMetrics
  }
}

/** Read by @fastify/under-pressure: metrics of an overloaded process matter most. */
const spared = { pressureHandler: () => undefined } as FastifyContextConfig

/** Hides the route from @fastify/swagger. */
const schema: FastifySchema & { readonly hide: true } = { hide: true }

/** Against DNS rebinding: a page whose name points at this server sends that name as `Host`. */
function hostCheck({ hosts }: ParsedOptions): onRequestHookHandler[] {
  if (hosts === undefined) return []
  const known = new KnownHosts(hosts)
  return [
    (request, _reply, done) => {
      const unknown = known.unknownIn(request)
      done(unknown === undefined ? undefined : new UnknownHostError(quoted(unknown.slice(0, 200))))
    },
  ]
}

async function plugin(app: FastifyInstance, given: MetricsOptions): Promise<void> {
  const options = parseOptions(given)
  const metrics = new BalancerMetrics(app, options)
  app.decorate('balancerMetrics', { getter: () => metrics })
  app.addHook('onReady', async () => metrics.start())
  app.addHook('onClose', async () => metrics.stop())
  if (options.tracing) {
    const tracing = new Tracing(app, await loadOpenTelemetry())
    app.addHook('onReady', async () => tracing.start())
    app.addHook('onClose', async () => tracing.stop())
  }
  if (!options.route) return
  const scrapes = new Scrapes((form) => metrics.bytes(form))
  app.route({
    method: 'GET',
    url: options.path,
    // With HEAD, since the balancer's own HEAD route would match otherwise.
    exposeHeadRoute: true,
    schema,
    config: spared,
    onRequest: [...hostCheck(options), ...hookList(options.onRequest)],
    async handler(request, reply) {
      scrapes.begin(request, reply)
      const form = metrics.formFor(prefersOpenMetrics(request.headers.accept) ? 'openmetrics' : 'prometheus')
      reply.header('content-type', mediaTypeOf(form)).header('vary', 'accept')
      return scrapes.text(form)
    },
  })
}

/** `fastify.register(metrics, options)`, after a balancer; covers all balancers of the server, including later ones. */
export const metrics = fp(plugin, {
  fastify: '5.x',
  name: '@fastify-balancer/metrics',
  decorators: { fastify: ['balancers'] },
})
