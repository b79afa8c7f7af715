/** A balancer's clock, as far as needed here; in ms. */
interface PauseClock {
  now(): number
  setTimeout(callback: () => void, delay: number): unknown
  clearTimeout(timer: unknown): void
  /** For a clock that stops during pauses: called with the length of each pause (ms) when it is over. */
  readonly onPause?: Set<(duration: number) => void>
}

/** How often the clock is checked (ms). */
const period = 250

/** More than this between two checks (ms) is a pause; less is just a busy process. */
const longest = 500

/**
 * Notices pauses of this process: a stop signal, a frozen machine, a long garbage collection. Durations measured across
 * a pause are meaningless. Call its methods with the current time: data that arrived meanwhile is often read before any
 * timer fires.
 */
export class Pauses {
  readonly #clock: PauseClock
  #lookedAt = Infinity
  #resumedAt = -Infinity
  #timer: unknown
  readonly #onPause = (duration: number) => {
    if (duration > longest - period) this.#resumedAt = this.#clock.now()
  }

  /** Before `start` there are no pauses. */
  constructor(clock: PauseClock) {
    this.#clock = clock
  }

  /** Starts checking, until `stop` is called. */
  start(): void {
    this.stop()
    this.#clock.onPause?.add(this.#onPause)
    this.#look(this.#clock.now())
  }

  stop(): void {
    this.#clock.onPause?.delete(this.#onPause)
    this.#clock.clearTimeout(this.#timer)
    this.#lookedAt = Infinity
  }

  /** End of the last pause, on the clock in ms, as known at `now`; -Infinity without any. */
  resumedAt(now: number): number {
    if (now - this.#lookedAt > longest) {
      this.#resumedAt = now
      this.#lookedAt = now
    }
    return this.#resumedAt
  }

  /** Was this process paused at any time from `since` until `now`, both on the clock in ms? */
  happenedSince(since: number, now: number): boolean {
    return this.resumedAt(now) >= since
  }

  #look(now: number): void {
    this.resumedAt(now)
    this.#lookedAt = now
    this.#timer = this.#clock.setTimeout(() => this.#look(this.#clock.now()), period)
  }
}
