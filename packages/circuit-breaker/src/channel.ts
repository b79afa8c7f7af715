import { channel } from 'node:diagnostics_channel'
import type { CircuitState } from './circuit/circuit-options.ts'

/** A circuit has changed its state. */
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

/** What is told on the channel. */
export interface CircuitNotice extends CircuitChange {
  /** The app's server, so that several in one process are told apart. */
  readonly server?: unknown
}

/** For those who look on from outside: `circuit-breaker:change`, told of every change of every circuit. */
export const changes = channel<unknown, CircuitNotice>('circuit-breaker:change')
