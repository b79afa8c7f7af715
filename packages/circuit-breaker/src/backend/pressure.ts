import type { Attempt } from '@fastify-balancer/balancer-core'

/**
 * A backend that has too much to do, and says when to come back (RFC 9110 §15.6.4), is not broken: opening its circuit
 * would only shift the load to the others, until theirs open too. One that says to come back at once (`retry-after: 0`,
 * as error pages do that nobody has thought about, or a time that is over) asks for no pause, and has failed.
 */
export function isPressure(attempt: Attempt): boolean {
  return attempt.status === 503 && attempt.headers['retry-after'] !== undefined && attempt.retryAfter() !== 0
}
