import type { Attempt } from '@fastify-balancer/balancer-core'

/**
 * A 503 with `Retry-After` (RFC 9110 §15.6.4) means overload, not a broken backend: opening its circuit would only
 * shift the load to the others, until theirs open too. With `Retry-After: 0` or a time in the past, as careless error
 * pages have it, the backend asks for no pause, and has failed.
 */
export function isPressure(attempt: Attempt): boolean {
  return attempt.status === 503 && attempt.headers['retry-after'] !== undefined && attempt.retryAfter() !== 0
}

/**
 * Concerns one client, not the backend, unless the option `statuses` lists it: 429 (RFC 6585 §4), and what means 499 in
 * gRPC: the client has cancelled, or its own deadline has passed.
 */
export function isAboutClient(status: number): boolean {
  return status === 429 || status === 499
}
