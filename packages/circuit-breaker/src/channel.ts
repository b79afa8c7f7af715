import { channel } from 'node:diagnostics_channel'
import type { CircuitState } from './circuit/circuit-options.ts'

/** A change of state of a circuit. */
export interface CircuitChange {
  /** The name of the balancer. */
  readonly balancer: string
  /** The id of the backend. */
  readonly backend: string
  readonly state: CircuitState
  readonly before: CircuitState
  /** The rule that decided. */
  readonly reason: string
  /** In ms since the epoch. */
  readonly at: number
}

/** Message of the channel. */
export interface CircuitNotice extends CircuitChange {
  /** The app's server, to distinguish several in one process. */
  readonly server?: unknown
}

/** Diagnostics channel `circuit-breaker:change`: every change of every circuit. */
export const changes = channel<unknown, CircuitNotice>('circuit-breaker:change')
