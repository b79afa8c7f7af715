/** Counts durations by buckets, like prom-client's histogram but without its label lookup on every call. */
export class Distribution {
  /** Upper bounds, in seconds, ascending. */
  readonly bounds: readonly number[]
  /** Count of each bucket, not cumulative; the last one is above all bounds. */
  readonly counts: number[]
  /** In seconds. */
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  /** Adds a duration in ms. A value equal to a bound belongs to the bucket below it. */
  observe(duration: number): void {
    const { bounds } = this
    // Bounds are not multiplied by 1000, since that is not exact for all numbers.
    const seconds = duration / 1000
    let bucket = 0
    while (bucket < bounds.length && seconds > bounds[bucket]!) bucket++
    this.counts[bucket]!++
    this.sum += seconds
    this.count++
  }
}
