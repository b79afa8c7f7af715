import type { FastifyRequest } from 'fastify'
import type { Blame, Outcome } from '../failure.ts'
import type { TunnelView } from '../backends/backend.ts'
import type { StatusName } from '../grpc/status-code.ts'
import type { PickRequest } from '../picking/policy.ts'

/** See `ExchangeView`. */
export interface ViewOfExchange<Attempt> extends PickRequest {
  readonly request: FastifyRequest
  /** Its path: without the query, which may hold a password, and without a name and password before a host. */
  readonly path: string
  /** The protocols that it asks to switch to; undefined for an ordinary request. */
  readonly upgrade: readonly string[] | undefined
  /** The name of its balancer. */
  readonly balancerName: string
  /** On the clock, in ms; `endedAt` is 0 until it has ended. */
  readonly startedAt: number
  readonly endedAt: number
  /** The status that was sent to the client; 0 if none was. */
  readonly status: number
  /** The gRPC status that the client was told; undefined if it is no call of gRPC, or the status is not seen. */
  readonly grpcStatus: StatusName | undefined
  /** When it last began to wait for a backend, on the clock in ms; 0 if it never did. */
  readonly waitingSince: number
  /** Every attempt so far, in order. */
  readonly attempts: readonly Attempt[]
  /** How many of them followed another one that had failed; hedges do not. */
  readonly retries: number
  /** The one whose response the client gets; undefined before its headers have arrived. */
  readonly answeredBy: Attempt | undefined
  /** Its tunnel, once it was upgraded. */
  readonly tunnel: TunnelView | undefined
  /** How it ended; undefined before that. */
  readonly outcome: Outcome | undefined
  /** Whose fault its failure is; undefined if it did not fail. */
  readonly blame: Blame | undefined
  /** The client got a 5xx or a broken transfer, and not by its own doing: see `exchangeFailed`. False before the end. */
  readonly failed: boolean
  readonly error: unknown
}
