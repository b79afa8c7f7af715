import type { ExchangeView, Outcome } from '@fastify-balancer/balancer-core'

/** Failures that are decided before any waiting. */
const immediate: ReadonlySet<Outcome | undefined> = new Set<Outcome>([
  'bad-request',
  'unsupported-version',
  'rewrite-failed',
  'no-backend',
  'queue-full',
])

/**
 * How long an ended request waited for a free backend, in ms, over all its attempts; `undefined` if it never got so far.
 * Computed as the time without a running attempt.
 */
export function queueWaitOf({ attempts, startedAt, endedAt, outcome }: ExchangeView): number | undefined {
  if (attempts.length === 0) return immediate.has(outcome) ? undefined : endedAt - startedAt
  let wait = 0
  let since = startedAt
  for (const attempt of attempts) {
    wait += attempt.startedAt - since
    // Another attempt follows a response whose status is retried, or a failure.
    since = attempt.respondedAt === 0 ? attempt.endedAt : attempt.respondedAt
  }
  const last = attempts[attempts.length - 1]!.outcome
  const endedWaiting =
    outcome === 'queue-timeout' || outcome === 'queue-shed' || (last !== undefined && last !== 'ok' && last !== outcome)
  return endedWaiting ? wait + endedAt - since : wait
}
