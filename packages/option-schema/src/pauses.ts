/** Where time comes from, in ms: as much of a balancer's clock as is needed here. */
interface PauseClock {
  now(): number
  setTimeout(callback: () => void, delay: number): unknown
  clearTimeout(timer: unknown): void
  /** Of a clock that stands still itself meanwhile: called with the length of each pause (ms) when that is over. */
  readonly onPause?: Set<(duration: number) => void>
}

/** How often it is looked at the clock (ms). */
const period = 250

/** Longer than this between two looks (ms) is a pause: what is shorter is a busy process, and its own affair. */
const longest = 500

/**
 * Notices when this process stands still: stopped by a signal, by its machine, or by a long garbage collection. Whatever
 * was measured across a pause says something about this process, and nothing about who was being measured. It must be
 * asked, too, as what has arrived meanwhile is often read before any timer can ring.
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

  /** Begins to look, for as long as `stop` is not called. */
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

  /** When the last pause ended, on the clock in ms, as far as it is known at `now`; -Infinity without any. */
  resumedAt(now: number): number {
    if (now - this.#lookedAt > longest) {
      this.#resumedAt = now
      this.#lookedAt = now
    }
    return this.#resumedAt
  }

  /** Did this process stand still at any time from `since` until `now`, both on the clock in ms? */
  happenedSince(since: number, now: number): boolean {
    return this.resumedAt(now) >= since
  }

  #look(now: number): void {
    this.resumedAt(now)
    this.#lookedAt = now
    this.#timer = this.#clock.setTimeout(() => this.#look(this.#clock.now()), period)
  }
}
