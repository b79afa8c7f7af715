import type { ExchangeView, Outcome } from '@fastify-balancer/balancer-core'

/** They are decided before there is anything to wait for. */
const immediate: ReadonlySet<Outcome | undefined> = new Set<Outcome>([
  'bad-request',
  'unsupported-version',
  'rewrite-failed',
  'no-backend',
  'queue-full',
])

/**
 * How long an exchange that has ended waited for a backend to become free, in ms, all its attempts together;
 * `undefined` for one that never got so far. It is read from the attempts, as the time in which there was none.
 */
export function queueWaitOf({ attempts, startedAt, endedAt, outcome }: ExchangeView): number | undefined {
  if (attempts.length === 0) return immediate.has(outcome) ? undefined : endedAt - startedAt
  let wait = 0
  let since = startedAt
  for (const attempt of attempts) {
    wait += attempt.startedAt - since
    // Another follows a response that is not wanted, or a failure.
    since = attempt.respondedAt === 0 ? attempt.endedAt : attempt.respondedAt
  }
  const last = attempts[attempts.length - 1]!.outcome
  const endedWaiting = outcome === 'queue-timeout' || (last !== undefined && last !== 'ok' && last !== outcome)
  return endedWaiting ? wait + endedAt - since : wait
}
