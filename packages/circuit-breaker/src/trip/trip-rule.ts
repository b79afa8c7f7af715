// Room `trip`: when a circuit opens: failures in a row, or their rate.
/**
 * Decides when a closed circuit opens. It is told of every call that ended in that state, and starts afresh with each
 * change of the state. A rule serves one circuit, for it counts; a record takes constant time and memory.
 */
export interface TripRule {
  /**
   * Counts one call that took `duration` ms and ended at `at` (ms, on the circuit's clock). Answers why the circuit has
   * to open, or nothing.
   */
  record(failed: boolean, duration: number, at: number): string | undefined
  /** Forgets everything. */
  reset(): void
  /** Whether a success that took so many ms counts against it all the same; without this, none does. */
  isSlow?(duration: number): boolean
}
