import { spoken } from './duration.ts'
import type { TripRule } from './trip-rule.ts'

/** When so many failures in a row are too many. */
export interface ConsecutiveOptions {
  /** Trips at this many, at least 1. */
  readonly failures: number
  /** At most so many ms lie between a failure and the one before it; a longer pause begins a new row. 0 = any. */
  readonly window: number
}

/**
 * Trips after failures in a row. A success ends the row, and so does a pause longer than the window: at night, three
 * failures may be an hour apart and mean nothing.
 */
export class Consecutive implements TripRule {
  #failures = 0
  #window = 0
  #reason = ''
  #row = 0
  #last = 0

  constructor(options: ConsecutiveOptions) {
    this.configure(options)
  }

  /** Goes by these from now on; the row that has begun goes on. */
  configure({ failures, window }: ConsecutiveOptions): void {
    this.#failures = failures
    this.#window = window
    const apart = window === 0 || failures < 2 ? '' : `, no further than ${spoken(window)} apart`
    this.#reason = failures === 1 ? '1 failure' : `${failures} consecutive failures${apart}`
  }

  record(failed: boolean, _duration: number, at: number): string | undefined {
    if (!failed) {
      this.#row = 0
      return undefined
    }
    const isApart = this.#window > 0 && at - this.#last > this.#window
    this.#row = isApart ? 1 : this.#row + 1
    this.#last = at
    return this.#row >= this.#failures ? this.#reason : undefined
  }

  reset(): void {
    this.#row = 0
  }
}
