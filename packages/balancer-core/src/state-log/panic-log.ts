// Room `state-log`: what the log says of a balancer's state: panic mode, and a queue that refuses requests.
import { panicText } from '@fastify-balancer/option-schema'
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
