// Room `trip`: when a circuit opens: failures in a row, or their rate.
/**
 * Decides when a closed circuit opens. It gets every call that ended in that state, and is reset with each change of
 * the state. A rule serves one circuit only; `record` must take constant time and memory.
 */
export interface TripRule {
  /**
   * Counts one call that took `duration` ms and ended at `at` (ms, on the circuit's clock). Returns why the circuit
   * must open, or undefined.
   */
  record(failed: boolean, duration: number, at: number): string | undefined
  /** Forgets everything. */
  reset(): void
  /** Whether a successful call of this duration (ms) counts as slow; without this method, none does. */
  isSlow?(duration: number): boolean
}
