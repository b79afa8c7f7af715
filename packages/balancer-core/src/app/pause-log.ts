import { spoken } from '@fastify-balancer/option-schema'
import type { FastifyInstance } from 'fastify'
import type { Balancer } from '../balancer.ts'

/** Shorter pauses (ms) are ordinary: a busy machine, a large garbage collection. */
const worthTelling = 1000

/** Logs when this process was paused: clients had to wait meanwhile, and no backend is to blame. */
export function logPauses(app: FastifyInstance, { name, clock }: Balancer): void {
  const { onPause } = clock
  if (onPause === undefined) return
  const tell = (duration: number) => {
    if (duration < worthTelling) return
    const paused = Math.round(duration)
    app.log.warn(
      { balancer: name, paused },
      `this process was paused for ${spoken(paused)}; time limits do not count that time`,
    )
  }
  onPause.add(tell)
  app.addHook('onClose', async () => void onPause.delete(tell))
}
