const windowSeconds = 10

/**
 * How many retries recent traffic allows: a share of the requests of the last 10 s, plus a fixed number per second.
 * (Finagle's RetryBudget, in tower's form of one slot a second: 20 % and 10/s.)
 */
export class RetryBudget {
  #options: { readonly ratio: number; readonly floor: number }
  // Counted in whole requests: sums of fractions would drift.
  readonly #requests = Array.from({ length: windowSeconds }, () => 0)
  readonly #retries = Array.from({ length: windowSeconds }, () => 0)
  #second = 0

  constructor(options: { readonly ratio: number; readonly floor: number }) {
    this.#options = options
  }

  /** Allows more, or less, from now on; what has been counted stays. */
  configure(options: { readonly ratio: number; readonly floor: number }): void {
    this.#options = options
  }

  /** The slot of the second of `now`; slots that have left the window are emptied. */
  #slot(now: number): number {
    const second = Math.floor(now / 1000)
    for (let passed = Math.min(second - this.#second, windowSeconds); passed > 0; passed--) {
      const slot = (second - passed + 1) % windowSeconds
      this.#requests[slot] = 0
      this.#retries[slot] = 0
    }
    if (second > this.#second) this.#second = second
    return this.#second % windowSeconds
  }

  /** A first attempt was made at `now` (ms). */
  deposit(now: number): void {
    this.#requests[this.#slot(now)]! += 1
  }

  /** Takes one retry, if the budget allows it. */
  withdraw(now: number): boolean {
    const slot = this.#slot(now)
    const { ratio, floor } = this.#options
    const allowed = ratio * sum(this.#requests) + floor * windowSeconds
    // 0.1 times 30 is a little more than 3, and 0.29 times 100 a little less than 29.
    if (sum(this.#retries) + 1 > allowed + 1e-9) return false
    this.#retries[slot]! += 1
    return true
  }

  /** Gives a retry taken at `now` back: there was no backend for it. */
  refund(now: number): void {
    this.#retries[this.#slot(now)]! -= 1
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
