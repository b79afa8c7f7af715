import { performance } from 'node:perf_hooks'

/**
 * Where time comes from. All durations in this package are milliseconds.
 * Tests and simulations pass their own; timers never keep the process alive.
 */
export interface Clock {
  /** Milliseconds of a monotonic clock; only differences mean anything. */
  now(): number
  /** Calls back once after `delay` ms, however many; answers what `clearTimeout` takes. */
  setTimeout(callback: () => void, delay: number): unknown
  /** Takes back a timer that has not fired; does nothing for `null`. */
  clearTimeout(timer: unknown): void
}

/** Node's timers count to 2³¹ − 1 ms, which is 24.8 days; longer ones would fire at once. */
const longest = 2_147_483_647

/** A timer in as many pieces as it takes. */
class LongTimer {
  readonly #callback: () => void
  #left: number
  #timer: NodeJS.Timeout | undefined

  constructor(callback: () => void, delay: number) {
    this.#callback = callback
    this.#left = delay
    this.#wait()
  }

  clear(): void {
    clearTimeout(this.#timer)
  }

  #wait(): void {
    const piece = Math.min(this.#left, longest)
    this.#left -= piece
    this.#timer = setTimeout(() => (this.#left > 0 ? this.#wait() : this.#callback()), piece).unref()
  }
}

/** The process's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delay) =>
    delay > longest ? new LongTimer(callback, delay) : setTimeout(callback, delay).unref(),
  clearTimeout(timer) {
    if (timer instanceof LongTimer) timer.clear()
    else clearTimeout(timer as NodeJS.Timeout | undefined)
  },
}
