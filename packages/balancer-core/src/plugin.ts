import type { FastifyInstance, FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { Balancer } from './balancer.ts'
import { BadOptionsError, UnknownBalancerError } from './errors.ts'
import { defaultCeiling } from './exchange-ceiling.ts'
import { Exchange } from './exchange/exchange.ts'
import { continueWhenRead } from './request/expect-continue.ts'
import { forwardingOf, guarded, type Forwarding } from './exchange/forwarding.ts'
import { refuseVersions } from './request/http-version.ts'
import { routeUnroutable } from './paths/unroutable.ts'
import { laneOf } from './response/choose-lane.ts'
import { keepAllFields } from './app/field-count.ts'
import { logPauses } from './app/pause-log.ts'
import { isUploading } from './request/request-body.ts'
import { lingerAfter } from './response/lingering-close.ts'
import { Http2Sessions } from './app/http2-sessions.ts'
import { eachServer } from './app/servers.ts'
import { closeWith } from './app/shutdown.ts'
import type { BalancerOptions } from './options.ts'
import { route } from './route.ts'

/** Options of `reply.forward()`. */
export interface ForwardOptions {
  /** The name of the balancer, or the balancer itself; required if there are several and none is called `default`. */
  readonly balancer?: string | Balancer
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The default balancer of this server, or its only one. */
    balancer: Balancer
    /** Every balancer of this server by name, in whichever scope it was registered. */
    balancers: ReadonlyMap<string, Balancer>
  }
  interface FastifyReply {
    /** Forwards the request to a backend and answers with its response. */
    forward(options?: ForwardOptions): FastifyReply
  }
}

const byServer = new WeakMap<object, Map<string, Balancer>>()

/**
 * @throws UnknownBalancerError if there is none of that name; without a name, if there are several and none is called
 * `default`
 */
function find(balancers: ReadonlyMap<string, Balancer>, name?: string): Balancer {
  const found =
    name === undefined
      ? (balancers.get('default') ?? (balancers.size === 1 ? [...balancers.values()][0] : undefined))
      : balancers.get(name)
  if (found !== undefined) return found
  const names = [...balancers.keys()].join(', ')
  throw new UnknownBalancerError(
    name === undefined
      ? `There are several balancers, none called 'default'; name one of: ${names}`
      : `There is no balancer '${name}', only: ${names}`,
  )
}

function decorate(app: FastifyInstance, balancers: ReadonlyMap<string, Balancer>): void {
  if (app.hasDecorator('balancers')) return
  // By balancer and by route.
  const forwardings = new Map<Balancer, WeakMap<object, Forwarding>>()
  app.decorate('balancers', { getter: () => balancers })
  app.decorate('balancer', { getter: () => find(balancers) })
  app.decorateReply('forward', function (this: FastifyReply, { balancer }: ForwardOptions = {}) {
    const chosen = typeof balancer === 'object' ? balancer : find(balancers, balancer)
    const taken: object = this.request.routeOptions.config
    let byRoute = forwardings.get(chosen)
    if (byRoute === undefined) forwardings.set(chosen, (byRoute = new WeakMap()))
    let forwarding = byRoute.get(taken)
    if (forwarding === undefined) byRoute.set(taken, (forwarding = guarded(forwardingOf(chosen), this.request)))
    new Exchange(this.request, this, forwarding, laneOf(forwarding.lane, this)).begin()
    return this
  })
}

/** Logs once how many requests there may be at once, which explains later refusals. */
function tellCeiling(app: FastifyInstance, { name, options }: Balancer): void {
  const { maxExchanges = defaultCeiling() } = options
  app.addHook('onListen', async () => {
    app.log.info(
      { balancer: name, maxExchanges },
      `limit: ${maxExchanges} requests at once in this process (maxExchanges)`,
    )
  })
}

async function plugin(app: FastifyInstance, options: BalancerOptions): Promise<void> {
  const balancers = byServer.get(app.server) ?? new Map<string, Balancer>()
  byServer.set(app.server, balancers)
  const balancer = new Balancer(options, app.log)
  if (balancers.has(balancer.name))
    throw new BadOptionsError(`name: '${balancer.name}' is already used by another balancer of this server`)
  balancers.set(balancer.name, balancer)
  decorate(app, balancers)
  const sessions = new Http2Sessions()
  const servers = eachServer(app, (server) => {
    keepAllFields(server)
    refuseVersions(server)
    routeUnroutable(app, server)
    continueWhenRead(server)
    sessions.observe(server)
  })
  // A body that the app's parser refuses, e.g. as too large, is not read to its end either.
  app.addHook('onError', (request, reply, _error, done) => {
    if (request.raw.httpVersionMajor === 1 && isUploading(request)) lingerAfter(reply.raw)
    done()
  })
  closeWith(app, balancer, servers, sessions)
  logPauses(app, balancer)
  tellCeiling(app, balancer)
  // With a trailing slash, the prefix itself would not be forwarded.
  const prefix = balancer.options.prefix.replace(/\/+$/, '')
  if (balancer.options.route) await app.register(route, { prefix, balancer })
}

/** `fastify.register(balancer, options)` */
export const balancer = fp(plugin, { fastify: '5.x', name: '@fastify-balancer/balancer-core' })
