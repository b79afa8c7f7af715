/** An exponential average over this many values; the first few count alike. */
const window = 600
const warmUp = 10

/** The usual response time, which follows new values slowly. (Netflix concurrency-limits, `ExpAvgMeasurement`.) */
export class LongAverage {
  #value: number | undefined
  #count = 0

  get value(): number | undefined {
    return this.#value
  }

  add(value: number): void {
    this.#count = Math.min(this.#count + 1, warmUp + 1)
    const weight = this.#count > warmUp ? 2 / (window + 1) : 1 / this.#count
    const before = this.#value ?? 0
    this.#value = before + (value - before) * weight
  }

  /** Forgets all, but for this value. */
  reset(value: number): void {
    this.#value = value
    this.#count = 1
  }

  scale(factor: number): void {
    if (this.#value !== undefined) this.#value *= factor
  }
}
