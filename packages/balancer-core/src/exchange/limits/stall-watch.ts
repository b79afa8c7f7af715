import type { Clock } from '../../clock.ts'

/**
 * Notices that nothing has moved for `idle` ms while something was awaited. Noting progress is one assignment, not a
 * timer.
 */
export class StallWatch {
  readonly #clock: Clock
  readonly #idle: number
  readonly #isWaiting: () => boolean
  readonly #onStall: () => void
  #movedAt = 0
  #timer: unknown

  /** `isWaiting` says whether anything is awaited at all; `onStall` is called at most once. */
  constructor(clock: Clock, idle: number, isWaiting: () => boolean, onStall: () => void) {
    this.#clock = clock
    this.#idle = idle
    this.#isWaiting = isWaiting
    this.#onStall = onStall
    this.progress()
    this.#arm(idle)
  }

  /** Notes progress. */
  progress(): void {
    this.#movedAt = this.#clock.now()
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer)
  }

  #arm(delay: number): void {
    this.#timer = this.#clock.setTimeout(() => {
      if (!this.#isWaiting()) this.progress()
      const left = this.#movedAt + this.#idle - this.#clock.now()
      if (left > 0) this.#arm(left)
      else this.#onStall()
    }, delay)
  }
}
