import type { Clock } from '@fastify-balancer/balancer-core'

/** Resolves when the work is done, or when `limit` ms are over (0 = no limit); the work goes on then. */
export async function within(clock: Clock, limit: number, work: Promise<void>): Promise<void> {
  if (limit === 0) return work
  await new Promise<void>((resolve) => {
    const timer = clock.setTimeout(resolve, limit)
    void work.then(() => {
      clock.clearTimeout(timer)
      resolve()
    })
  })
}
