// Room `app`: what a balancer does with the app as a whole and its servers, rather than with a request.
import type { FastifyInstance } from 'fastify'
import type { Server } from 'node:http'
import type { Balancer } from '../balancer.ts'
import type { Http1Connections } from './http1-connections.ts'
import type { Http2Sessions } from './http2-sessions.ts'
import { endCollections } from '../exchange/body-collection.ts'
import { endLingering } from '../response/lingering-close.ts'

/** The part of Fastify's `pluginTimeout`, which a `preClose` hook must keep, that is used for waiting. */
const usable = 0.9

/** So long a client may take for the head of a request (ms), where requests may take for ever: Node's `headersTimeout`. */
const headTime = 60_000

/**
 * Lets a balancer finish what it has when the app closes. Fastify answers what is new with 503 from then on. The waiting
 * is done before the listener closes its connections; what takes longer than Fastify allows there, after.
 */
export function closeWith(
  app: FastifyInstance,
  balancer: Balancer,
  servers: ReadonlySet<Server>,
  connections: Http1Connections,
  sessions: Http2Sessions,
): void {
  const { clock } = balancer
  const deadline = balancer.options.drainDeadline
  let stopWaiting: (() => void)[] = []
  const limit = (app.initialConfig.pluginTimeout ?? 10_000) * usable
  app.addHook('preClose', async () => {
    const since = clock.now()
    sessions.goAway()
    let timer: unknown
    const late = new Promise<void>((resolve) => {
      if (limit > 0) timer = clock.setTimeout(resolve, limit)
    })
    await Promise.race([balancer.close().then(() => endCollections(balancer)), late])
    clock.clearTimeout(timer)
    for (const server of servers) endLingering(server)
    const rest = Math.max(0, (deadline === 0 ? headTime : deadline) - (clock.now() - since))
    stopWaiting = [sessions.close(clock, deadline), connections.close(clock, rest)]
  })
  app.addHook('onClose', async () => {
    for (const stop of stopWaiting) stop()
    await balancer.close()
  })
}
