// Room `state-log`: what the log says of a balancer's state: panic mode, and a queue that refuses requests.
import type { FastifyBaseLogger } from 'fastify'
import type { BackendSet } from '../backends/backend-set.ts'

/** Says that panic mode has begun or ended. */
export function logPanic(
  log: FastifyBaseLogger | undefined,
  balancer: string,
  { panicking, all, available: eligible }: BackendSet,
): void {
  const healthy = all.filter(({ available }) => available).length
  const figures = { balancer, backends: all.length, available: healthy, eligible: eligible.length }
  if (panicking) log?.warn(figures, panicText(figures, panicking))
  else log?.info(figures, panicText(figures, panicking))
}

/** `panic mode: 0 of 5 backends are healthy, all 5 are used` */
function panicText(
  { backends, available, eligible }: { readonly backends: number; readonly available: number; readonly eligible: number },
  panicking: boolean,
): string {
  const share = `${available} of ${backends} backends ${available === 1 ? 'is' : 'are'} healthy`
  const used = eligible === backends && backends > 1 ? `all ${backends}` : String(eligible)
  return `panic mode${panicking ? '' : ' ended'}: ${share}, ${used} ${eligible === 1 ? 'is' : 'are'} used`
}
