import { Histogram } from './histogram.ts'

class Bucket {
  attempts = 0
  failures = 0
  /** Made with the first of them: of thousands of backends, most may have had no traffic. */
  durations: Histogram | undefined

  clear(): void {
    this.attempts = 0
    this.failures = 0
    this.durations?.clear()
  }
}

/** Results of attempts within one interval. */
export interface IntervalShare {
  readonly attempts: number
  readonly failures: number
}

/**
 * Counts of one backend in this interval and in the last one: two buckets that are swapped, as in gRPC A50. Success
 * rates are judged by the last interval; durations by both, so that they can be judged at any moment.
 */
export class IntervalCounts {
  #active = new Bucket()
  #ended = new Bucket()

  /** An attempt has ended. */
  count(failed: boolean): void {
    this.#active.attempts++
    if (failed) this.#active.failures++
  }

  /** Adds a duration (ms): from the end of the request to the response headers, or to the timeout for them. */
  measure(duration: number): void {
    ;(this.#active.durations ??= new Histogram()).add(duration)
  }

  /** Starts the next interval. */
  next(): void {
    const before = this.#ended
    this.#ended = this.#active
    this.#active = before
    before.clear()
  }

  clear(): void {
    this.#active.clear()
    this.#ended.clear()
  }

  /** The current interval. */
  get active(): IntervalShare {
    return this.#active
  }

  /** The last interval. */
  get ended(): IntervalShare {
    return this.#ended
  }

  /** Number of durations of both. */
  get measured(): number {
    return (this.#active.durations?.count ?? 0) + (this.#ended.durations?.count ?? 0)
  }

  /** 90th percentile of the durations of both, in ms; undefined without any. */
  get p90(): number | undefined {
    const [one, other] = [this.#active.durations, this.#ended.durations]
    return one === undefined ? other?.quantileWith(undefined, 0.9) : one.quantileWith(other, 0.9)
  }
}
