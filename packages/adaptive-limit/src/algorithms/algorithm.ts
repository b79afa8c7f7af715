// Room `algorithms`: how a limit follows from what was measured.

/** What was measured in one window. */
export interface Measured {
  /** Average time from the end of a request to its response headers, in ms; undefined if nothing was answered. */
  readonly responseTime: number | undefined
  /** The most requests in flight. */
  readonly inFlight: number
  /** A request has failed, or timed out. */
  readonly failed: boolean
}

/** An algorithm at one backend. */
export interface LimitAlgorithm {
  /** Most requests that may be in flight; not rounded. */
  readonly limit: number
  /**
   * True while it measures the response time without a queue: of the requests that began since then, and under a lower
   * limit.
   */
  readonly isMeasuring: boolean
  /** The response time without a queue, in ms; undefined if it knows none. */
  readonly usual: number | undefined
  /** Adjusts the limit, within `most`. */
  update(measured: Measured, most: number): void
}
