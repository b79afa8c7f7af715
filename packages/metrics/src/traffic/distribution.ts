/** Durations, counted by buckets: what a histogram of prom-client's does, without its search by labels on every call. */
export class Distribution {
  /** Upper bounds, in seconds, ascending. */
  readonly bounds: readonly number[]
  /** How many fell into each bucket, not cumulated; the last is for what is above every bound. */
  readonly counts: number[]
  /** In seconds. */
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  /** Takes in a duration in ms; a bound belongs to the bucket below it. */
  observe(duration: number): void {
    const { bounds } = this
    // Not the bound times 1000, which is not always the number that was written.
    const seconds = duration / 1000
    let bucket = 0
    while (bucket < bounds.length && seconds > bounds[bucket]!) bucket++
    this.counts[bucket]!++
    this.sum += seconds
    this.count++
  }
}
