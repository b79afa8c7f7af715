import { spoken } from '@fastify-balancer/option-schema'
import type { TripRule } from './trip-rule.ts'

/** Settings of the rule "failures in a row". */
export interface ConsecutiveOptions {
  /** Trips at this many, at least 1. */
  readonly failures: number
  /** Longest time between two failures of a row, in ms; 0 = no limit. */
  readonly window: number
}

/**
 * Trips after failures in a row. A success ends the row, and so does a time longer than the window: at night, three
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
    const apart = window === 0 || failures < 2 ? '' : `, at most ${spoken(window)} apart`
    this.#reason = failures === 1 ? '1 failure' : `${failures} failures in a row${apart}`
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
