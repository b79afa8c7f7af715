import type { Blame, Outcome } from '@fastify-balancer/balancer-core'
import type { Attributes } from '@opentelemetry/api'

/** How an exchange or an attempt ended. */
export interface Ending {
  readonly outcome: Outcome
  /** Whose fault it is; undefined if it did not fail. */
  readonly blame: Blame | undefined
  /** Of the response; 0 if there was none. */
  readonly status: number
}

/**
 * What a span says of the end. An `error.type` makes it one that has failed: the reason, or else a status from
 * `firstError` on. What a client does to itself is not an error.
 */
export function endAttributes({ outcome, blame, status }: Ending, firstError: 400 | 500): Attributes {
  const attributes: Attributes = { 'fastify_balancer.outcome': outcome }
  if (status !== 0) attributes['http.response.status_code'] = status
  if (outcome !== 'ok' && blame !== 'client') attributes['error.type'] = outcome
  else if (status >= firstError) attributes['error.type'] = String(status)
  return attributes
}
