/** Bucket width: twelve buckets double the time, 2^(1/12) ≈ 1.059. */
const perDoubling = 12
/** Shorter durations fall into the first bucket (ms). */
const shortest = 0.25
/** Up to 0.25 ms × 2^(255/12), about ten minutes; longer durations fall into the last. */
const length = 256

/**
 * Durations in constant memory: buckets whose width grows with the time. A quantile is off by at most half a bucket,
 * less than 3 %, between 0.25 ms and ten minutes.
 */
export class Histogram {
  count = 0
  readonly #buckets = new Uint32Array(length)

  /** Adds one duration, in ms. */
  add(duration: number): void {
    const index = duration <= shortest ? 0 : Math.min(Math.log2(duration / shortest) * perDoubling, length - 1) | 0
    this.#buckets[index]!++
    this.count++
  }

  clear(): void {
    if (this.count === 0) return
    this.#buckets.fill(0)
    this.count = 0
  }

  /**
   * The duration (ms) that a `share` (0 < share ≤ 1) of this one and `other`, if there is one, together does not exceed, by
   * the nearest rank; undefined when both are empty.
   */
  quantileWith(other: Histogram | undefined, share: number): number | undefined {
    const total = this.count + (other?.count ?? 0)
    if (total === 0) return undefined
    // 0.9 times 10 is 9; 0.07 times 100 is a little more than 7.
    const rank = Math.max(Math.ceil(share * total - 1e-9), 1)
    let seen = 0
    let index = -1
    while (seen < rank) {
      index++
      seen += this.#buckets[index]! + (other === undefined ? 0 : other.#buckets[index]!)
    }
    return shortest * 2 ** ((index + 0.5) / perDoubling)
  }
}
