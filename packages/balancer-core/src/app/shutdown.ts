// Room `app`: what a balancer does with the app as a whole and its servers, rather than with a request.
import type { FastifyInstance } from 'fastify'
import type { Server } from 'node:http'
import type { Balancer } from '../balancer.ts'
import type { Handshakes } from './listener/handshakes.ts'
import type { Http1Connections } from './listener/http1-connections.ts'
import type { Http2Sessions } from './listener/http2-sessions.ts'
import { endCollections } from '../exchange/body-collection.ts'
import { endLingering } from '../response/lingering-close.ts'

/** Share of Fastify's `pluginTimeout`, the limit for a `preClose` hook, that is used for waiting. */
const usable = 0.9

/** So long a client may take for the head of a request (ms), where requests may take for ever: Node's `headersTimeout`. */
const headTime = 60_000

/** The connections of an app's clients. */
interface Clients {
  readonly handshakes: Handshakes
  readonly connections: Http1Connections
  readonly sessions: Http2Sessions
}

/**
 * Lets a balancer finish its requests when the app closes. From then on, Fastify answers new ones with 503. It waits
 * before the listener closes its connections, as long as Fastify allows, and for the rest of the time after that.
 */
export function closeWith(
  app: FastifyInstance,
  balancer: Balancer,
  servers: ReadonlySet<Server>,
  { handshakes, connections, sessions }: Clients,
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
    handshakes.close()
    const rest = Math.max(0, (deadline === 0 ? headTime : deadline) - (clock.now() - since))
    stopWaiting = [sessions.close(clock, deadline), connections.close(clock, rest)]
  })
  app.addHook('onClose', async () => {
    for (const stop of stopWaiting) stop()
    await balancer.close()
  })
}
