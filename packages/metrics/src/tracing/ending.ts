import type { Blame, Outcome, StatusName } from '@fastify-balancer/balancer-core'
import type { Attributes } from '@opentelemetry/api'

/** How an exchange or an attempt ended. */
export interface Ending {
  readonly outcome: Outcome
  /** Whose fault it is; undefined if it did not fail. */
  readonly blame: Blame | undefined
  /** Status of the response; 0 if there was none. */
  readonly status: number
  /** Of gRPC, if it is known. */
  readonly grpcStatus: StatusName | undefined
}

/** OpenTelemetry's conventions: for a client, all but OK; for a server, those that are its own fault. */
const ofServers = new Set<StatusName>([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
])

function isError(status: StatusName, firstError: 400 | 500): boolean {
  return firstError === 400 ? status !== 'OK' : ofServers.has(status)
}

/**
 * The attributes of a span's end. `error.type` marks a failed span: the reason, or a status of at least `firstError`. A
 * failure caused by the client is not an error, nor is an attempt that was cancelled since another responded first.
 */
export function endAttributes({ outcome, blame, status, grpcStatus }: Ending, firstError: 400 | 500): Attributes {
  const attributes: Attributes = { 'fastify_balancer.outcome': outcome }
  if (status !== 0) attributes['http.response.status_code'] = status
  if (grpcStatus !== undefined) attributes['rpc.response.status_code'] = grpcStatus
  if (outcome !== 'ok' && outcome !== 'hedge-lost' && blame !== 'client') attributes['error.type'] = outcome
  else if (status >= firstError) attributes['error.type'] = String(status)
  else if (grpcStatus !== undefined && isError(grpcStatus, firstError)) attributes['error.type'] = grpcStatus
  return attributes
}
