// Room `app`: what a balancer does with the app as a whole and its servers, rather than with a request.
import type { FastifyInstance } from 'fastify'
import type { Server } from 'node:http'
import type { Balancer } from '../balancer.ts'
import type { Http2Sessions } from './http2-sessions.ts'
import { endCollections } from '../exchange/body-collection.ts'
import { endLingering } from '../response/lingering-close.ts'

/** Share of Fastify's `pluginTimeout`, the limit for a `preClose` hook, that is used for waiting. */
const usable = 0.9

/**
 * Lets a balancer finish its requests when the app closes. From then on, Fastify answers new ones with 503. It waits
 * before the listener closes its connections, as long as Fastify allows, and for the rest of the time after that.
 */
export function closeWith(
  app: FastifyInstance,
  balancer: Balancer,
  servers: ReadonlySet<Server>,
  sessions: Http2Sessions,
): void {
  const { clock } = balancer
  let stopWaiting: (() => void) | undefined
  const limit = (app.initialConfig.pluginTimeout ?? 10_000) * usable
  app.addHook('preClose', async () => {
    sessions.goAway()
    let timer: unknown
    const late = new Promise<void>((resolve) => {
      if (limit > 0) timer = clock.setTimeout(resolve, limit)
    })
    await Promise.race([balancer.close().then(() => endCollections(balancer)), late])
    clock.clearTimeout(timer)
    for (const server of servers) endLingering(server)
    stopWaiting = sessions.close(clock, balancer.options.drainDeadline)
  })
  app.addHook('onClose', async () => {
    stopWaiting?.()
    await balancer.close()
  })
}
