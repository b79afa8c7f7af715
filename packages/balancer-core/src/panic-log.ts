import type { FastifyBaseLogger } from 'fastify'
import type { BackendSet } from './backends/backend-set.ts'

/** Says that panic mode has begun or ended. */
export function logPanic(
  log: FastifyBaseLogger | undefined,
  balancer: string,
  { panicking, all, available }: BackendSet,
): void {
  const healthy = all.filter(({ vetoes }) => vetoes.length === 0).length
  const figures = { balancer, backends: all.length, healthy, available: available.length }
  const share = `${healthy} of ${all.length} backends healthy`
  const tried = available.length === all.length ? 'all get traffic' : `${available.length} get traffic`
  if (panicking) log?.warn(figures, `panic mode: ${share}; health is ignored, ${tried}`)
  else log?.info(figures, `panic mode ended: ${share}; only these get traffic`)
}
