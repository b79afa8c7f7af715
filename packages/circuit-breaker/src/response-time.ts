import type { Attempt } from '@fastify-balancer/balancer-core'

/**
 * When the backend had the whole request, on the clock in ms: from then on it keeps its client waiting, and not the other
 * way round. Before a connection is ready, and for a request without a body, that is when it began; undefined while the
 * request is being uploaded.
 */
export function handedOverAt({ started, uploaded, startedAt, uploadedAt }: Attempt): number | undefined {
  return started && !uploaded ? undefined : Math.max(startedAt, uploadedAt)
}

/**
 * How long the backend took to answer, in ms: from when it had the whole request until its response headers, or until
 * `at`, where it has failed without. 0 for one that answered, or failed, before it had the whole request.
 */
export function responseTimeOf(attempt: Attempt, at: number): number {
  const from = handedOverAt(attempt)
  if (from === undefined) return 0
  return Math.max(0, attempt.status === 0 ? at - from : attempt.responseTime)
}
