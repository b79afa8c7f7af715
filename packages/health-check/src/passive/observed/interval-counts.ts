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

/** How attempts fared within one interval. */
export interface IntervalShare {
  readonly attempts: number
  readonly failures: number
}

/**
 * What one backend did in this interval and in the last one: two buckets that are swapped, as in gRPC A50. Shares of
 * success are judged by the interval that has ended; durations by both, so that they can be judged at any moment.
 */
export class IntervalCounts {
  #active = new Bucket()
  #ended = new Bucket()

  /** An attempt has ended. */
  count(failed: boolean): void {
    this.#active.attempts++
    if (failed) this.#active.failures++
  }

  /** From the whole request it took so long (ms) to response headers, or to the end of the patience for them. */
  measure(duration: number): void {
    ;(this.#active.durations ??= new Histogram()).add(duration)
  }

  /** The interval is over. */
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

  /** The interval that is running. */
  get active(): IntervalShare {
    return this.#active
  }

  /** The interval that has ended. */
  get ended(): IntervalShare {
    return this.#ended
  }

  /** How many durations are known of both. */
  get measured(): number {
    return (this.#active.durations?.count ?? 0) + (this.#ended.durations?.count ?? 0)
  }

  /** What 90 % of the durations of both do not exceed, in ms; undefined without any. */
  get p90(): number | undefined {
    const [one, other] = [this.#active.durations, this.#ended.durations]
    return one === undefined ? other?.quantileWith(undefined, 0.9) : one.quantileWith(other, 0.9)
  }
}
