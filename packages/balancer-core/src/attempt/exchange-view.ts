import type { FastifyRequest } from 'fastify'
import type { Attempt } from './attempt.ts'
import type { Blame, Outcome } from '../failure.ts'
import type { TunnelEnd } from '../backends/backend.ts'
import type { PickRequest } from '../picking/policy.ts'

/** What is known of a tunnel. */
export interface TunnelView {
  /** The protocol, in lower case. */
  readonly protocol: string
  /** Bytes from the client to the backend, and back. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** On the clock, in ms; `closedAt` is 0 while it is open. */
  readonly openedAt: number
  readonly closedAt: number
  /** Who ended it, or why it was ended from here. */
  readonly closedBy: TunnelEnd | undefined
}

/** What hooks, channels and the log see of an exchange: one client request on its way through. */
export interface ExchangeView extends PickRequest {
  readonly request: FastifyRequest
  /** The protocols that it asks to switch to; undefined for an ordinary request. */
  readonly upgrade: readonly string[] | undefined
  /** The name of its balancer. */
  readonly balancerName: string
  /** On the clock, in ms; `endedAt` is 0 until it has ended. */
  readonly startedAt: number
  readonly endedAt: number
  /** The status that was sent to the client; 0 if none was. */
  readonly status: number
  /** Every attempt so far, in order. */
  readonly attempts: readonly Attempt[]
  /** Its tunnel, once it was upgraded. */
  readonly tunnel: TunnelView | undefined
  /** How it ended; undefined before that. */
  readonly outcome: Outcome | undefined
  /** Whose fault its failure is; undefined if it did not fail. */
  readonly blame: Blame | undefined
  readonly error: unknown
}
