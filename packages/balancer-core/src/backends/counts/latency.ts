/** Upper bounds in ms of the histogram's buckets; a last, open one follows. Prometheus's custom, in a 1-2.5-5 ladder. */
export const latencyBuckets = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000] as const

const meanLife = 10_000

/**
 * Response times of a backend, in constant memory: a decaying average with a mean life of 10 s (Linkerd's and Finagle's
 * decay) and a histogram.
 */
export class Latency {
  /** Exponentially weighted mean in ms; 0 before the first measurement. */
  average = 0
  /** Counts for each of `latencyBuckets`, and one for anything slower. */
  readonly buckets: number[] = Array.from({ length: latencyBuckets.length + 1 }, () => 0)
  #measuredAt = 0

  /** Adds one measurement of `duration` ms that ended at `now`. */
  measure(duration: number, now: number): void {
    let bucket = 0
    while (bucket < latencyBuckets.length && duration > latencyBuckets[bucket]!) bucket++
    this.buckets[bucket]!++
    if (this.average === 0) this.average = duration
    else {
      // With a minimum for the elapsed time, a burst of simultaneous responses counts as well.
      const share = 1 - Math.exp(-Math.max(now - this.#measuredAt, 1) / meanLife)
      this.average += (duration - this.average) * Math.max(share, 0.01)
    }
    this.#measuredAt = now
  }
}
