import type { CallWindow } from './call-window.ts'
import { spoken } from '@fastify-balancer/option-schema'

/** Calls leave the window a bucket at a time: a tenth of the window, as in opossum. */
const buckets = 10

/** The calls of a time window, counted in buckets: memory does not grow with traffic. */
export class RecentCalls implements CallWindow {
  calls = 0
  failed = 0
  slow = 0
  readonly extent: string
  readonly #width: number
  readonly #calls = new Uint32Array(buckets)
  readonly #failed = new Uint32Array(buckets)
  readonly #slow = new Uint32Array(buckets)
  /** Which bucket of all time is being filled. */
  #current = 0

  /** `time` in ms, above 0: a call leaves the window after 90–100 % of it. */
  constructor(time: number) {
    this.#width = time / buckets
    this.extent = `the last ${spoken(time)}`
  }

  add(failed: boolean, slow: boolean, at: number): void {
    this.#move(Math.floor(at / this.#width))
    const index = this.#current % buckets
    this.calls++
    this.#calls[index]!++
    if (failed) {
      this.failed++
      this.#failed[index]!++
    }
    if (slow) {
      this.slow++
      this.#slow[index]!++
    }
  }

  clear(): void {
    this.calls = this.failed = this.slow = 0
    for (const counts of [this.#calls, this.#failed, this.#slow]) counts.fill(0)
  }

  /** Empties the buckets that have become too old. A clock that went back fills the current one. */
  #move(to: number): void {
    if (to <= this.#current) return
    if (to - this.#current >= buckets) this.clear()
    else for (let bucket = this.#current + 1; bucket <= to; bucket++) this.#empty(bucket % buckets)
    this.#current = to
  }

  #empty(index: number): void {
    this.calls -= this.#calls[index]!
    this.failed -= this.#failed[index]!
    this.slow -= this.#slow[index]!
    this.#calls[index] = this.#failed[index] = this.#slow[index] = 0
  }
}
