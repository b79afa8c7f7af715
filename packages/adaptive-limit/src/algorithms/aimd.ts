import type { LimitAlgorithm, Measured } from './algorithm.ts'

const backoff = 0.9

/**
 * Additive increase, multiplicative decrease: 1 more after each good window in which at least half of the limit was in
 * use, × 0.9 after one with a failure or a timeout. (Netflix concurrency-limits, `AIMDLimit`.)
 */
export class Aimd implements LimitAlgorithm {
  limit: number
  readonly isMeasuring = false
  readonly usual = undefined
  readonly #min: number
  readonly #timeout: number

  /** `timeout` in ms. */
  constructor({ initial, min, timeout }: { readonly initial: number; readonly min: number; readonly timeout: number }) {
    this.limit = initial
    this.#min = min
    this.#timeout = timeout
  }

  update({ responseTime = 0, inFlight, failed }: Measured, most: number): void {
    const { limit } = this
    if (failed || responseTime > this.#timeout) this.limit = Math.min(limit - 1, Math.floor(limit * backoff))
    else if (inFlight * 2 >= limit) this.limit = limit + 1
    this.limit = Math.max(this.#min, Math.min(this.limit, most))
  }
}
