import type { ExchangeView, Outcome } from '@fastify-balancer/balancer-core'

/** Failures that are decided before any waiting, but for a request that another one has displaced in the queue. */
const immediate: ReadonlySet<Outcome | undefined> = new Set<Outcome>([
  'bad-request',
  'unsupported-version',
  'rewrite-failed',
  'no-backend',
  'queue-full',
])

/** Has an attempt failed, and not as its request did? */
function isOther(attempt: Outcome | undefined, request: Outcome | undefined): boolean {
  return attempt !== undefined && attempt !== 'ok' && attempt !== request
}

/**
 * How long an ended request waited for a free backend, in ms, over all its attempts; `undefined` if it never got so far.
 * Computed as the time without a running attempt.
 */
export function queueWaitOf({ attempts, startedAt, waitingSince, endedAt, outcome }: ExchangeView): number | undefined {
  if (attempts.length === 0) return immediate.has(outcome) && waitingSince === 0 ? undefined : endedAt - startedAt
  let wait = 0
  let since = startedAt
  for (const attempt of attempts) {
    // One that is hedged runs beside another.
    wait += Math.max(0, attempt.startedAt - since)
    // Another attempt follows a response whose status is retried, or a failure.
    since = Math.max(since, attempt.respondedAt === 0 ? attempt.endedAt : attempt.respondedAt)
  }
  const haveFailed = attempts.every((attempt) => isOther(attempt.outcome, outcome))
  const endedWaiting = outcome === 'queue-timeout' || outcome === 'queue-shed' || haveFailed
  return endedWaiting ? wait + endedAt - since : wait
}
