import type { CircuitState } from '../circuit/circuit-options.ts'
import type { FailureNote } from './recent-failures.ts'

/** The state of a backend's circuit, as plain data. */
export interface CircuitView {
  /** The id of the backend. */
  readonly backend: string
  readonly state: CircuitState
  /** In ms since the epoch. */
  readonly since: number
  /** The rule that decided. */
  readonly reason: string
  /** Openings in a row. */
  readonly openings: number
  /** Trials in progress. */
  readonly trials: number
  /** Time until the next scheduled change, in whole ms: half-open, end of a trial or of the hold in force. */
  readonly changesIn: number | undefined
  /** When that is, in ms since the epoch. */
  readonly until: number | undefined
  /** The operator who holds it, if one does. */
  readonly who: string | undefined
  /** The oldest first. */
  readonly failures: readonly FailureNote[]
}
