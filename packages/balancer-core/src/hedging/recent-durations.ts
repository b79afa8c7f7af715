const bucketsPerDoubling = 16
/** Upper bound of the first bucket, in ms; that of the last is 2¹⁸ times as much, more than a minute. */
const shortest = 0.25
const bucketCount = 18 * bucketsPerDoubling + 1

/** Half of the window, in ms. */
const half = 10_000

function bucketOf(duration: number): number {
  if (duration <= shortest) return 0
  return Math.min(Math.ceil(Math.log2(duration / shortest) * bucketsPerDoubling), bucketCount - 1)
}

/** The durations of one half of the window. */
class Counts {
  readonly buckets = new Uint32Array(bucketCount)
  total = 0

  clear(): void {
    this.buckets.fill(0)
    this.total = 0
  }
}

/**
 * How the durations of the last 10 to 20 s are distributed, in constant memory: a histogram with buckets of which each
 * reaches 4.4 % further than the one before, for each half of the window.
 */
export class RecentDurations {
  #recent = new Counts()
  #earlier = new Counts()
  #turnedAt = 0

  /** Adds one, in ms, that ended at `now`. */
  add(duration: number, now: number): void {
    this.#turn(now)
    this.#recent.buckets[bucketOf(duration)]! += 1
    this.#recent.total++
  }

  /** How many there are at `now`. */
  countAt(now: number): number {
    this.#turn(now)
    return this.#recent.total + this.#earlier.total
  }

  /**
   * What this share of them (0 to 1) does not exceed, in ms: the upper bound of a bucket, so up to 4.4 % too much. Shorter
   * ones count as 0.25 ms, and those above a minute as 65 s. 0 without any.
   */
  quantile(share: number, now: number): number {
    // Without rounding errors of the product.
    const wanted = Math.ceil(share * this.countAt(now) - 1e-9)
    if (wanted === 0) return 0
    let bucket = -1
    let seen = 0
    while (seen < wanted) {
      bucket++
      seen += this.#recent.buckets[bucket]! + this.#earlier.buckets[bucket]!
    }
    return shortest * 2 ** (bucket / bucketsPerDoubling)
  }

  #turn(now: number): void {
    const passed = now - this.#turnedAt
    if (passed < half) return
    const recent = this.#earlier
    this.#earlier = this.#recent
    this.#recent = recent
    recent.clear()
    if (passed >= 2 * half) this.#earlier.clear()
    this.#turnedAt = now
  }
}
