/** The latest calls: how many the window holds, and how many of them failed or were slow. One may be both. */
export interface CallWindow {
  readonly calls: number
  readonly failed: number
  readonly slow: number
  /** Counts a call that ended at `at` (ms), and drops those that have left the window by then. */
  add(failed: boolean, slow: boolean, at: number): void
  clear(): void
  /** Which calls it holds, in words. */
  readonly extent: string
}
