import type { CallWindow } from './call-window.ts'

const failedBit = 1
const slowBit = 2

/** The latest calls: one byte for each, in a ring buffer. (Resilience4j's count-based window.) */
export class LatestCalls implements CallWindow {
  calls = 0
  failed = 0
  slow = 0
  readonly extent: string
  readonly #ring: Uint8Array
  #next = 0

  /** `size` calls at most, at least 1. */
  constructor(size: number) {
    this.#ring = new Uint8Array(size)
    this.extent = `the last ${size === 1 ? 'call' : `${size} calls`}`
  }

  add(failed: boolean, slow: boolean): void {
    const ring = this.#ring
    const forgotten = ring[this.#next]!
    if (this.calls < ring.length) this.calls++
    else {
      if ((forgotten & failedBit) !== 0) this.failed--
      if ((forgotten & slowBit) !== 0) this.slow--
    }
    ring[this.#next] = (failed ? failedBit : 0) | (slow ? slowBit : 0)
    if (failed) this.failed++
    if (slow) this.slow++
    this.#next = (this.#next + 1) % ring.length
  }

  clear(): void {
    this.calls = this.failed = this.slow = this.#next = 0
  }
}
