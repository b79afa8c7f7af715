import type { FastifyInstance } from 'fastify'
import type { Balancer } from './balancer.ts'
import { endLingering } from './response/lingering-close.ts'

/** The part of Fastify's `pluginTimeout`, which a `preClose` hook must keep, that is used for waiting. */
const usable = 0.9

/**
 * Lets a balancer finish what it has when the app closes. Fastify answers what is new with 503 from then on. The waiting
 * is done before the listener closes its connections; what takes longer than Fastify allows there, after.
 */
export function closeWith(app: FastifyInstance, balancer: Balancer): void {
  const { clock } = balancer
  const limit = (app.initialConfig.pluginTimeout ?? 10_000) * usable
  app.addHook('preClose', async () => {
    let timer: unknown
    const late = new Promise<void>((resolve) => {
      if (limit > 0) timer = clock.setTimeout(resolve, limit)
    })
    await Promise.race([balancer.close(), late])
    clock.clearTimeout(timer)
    endLingering(app.server)
  })
  app.addHook('onClose', async () => balancer.close())
}
