import type { Clock } from './clock.ts'

/**
 * Notices that nothing has moved for `idle` ms. undici suspends its own body timeout while it is paused and knows none
 * for uploads, so this one runs for paused downloads and for uploads. Progress costs one store, not a timer.
 */
export class StallWatch {
  readonly #clock: Clock
  readonly #idle: number
  readonly #stalled: () => boolean
  readonly #onStall: () => void
  #movedAt = 0
  #timer: unknown

  /** `stalled` says whether anything is being waited for at all; `onStall` is called at most once. */
  constructor(clock: Clock, idle: number, stalled: () => boolean, onStall: () => void) {
    this.#clock = clock
    this.#idle = idle
    this.#stalled = stalled
    this.#onStall = onStall
    this.progress()
    this.#arm(idle)
  }

  /** Something moved. */
  progress(): void {
    this.#movedAt = this.#clock.now()
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer)
  }

  #arm(delay: number): void {
    this.#timer = this.#clock.setTimeout(() => {
      if (!this.#stalled()) this.progress()
      const left = this.#movedAt + this.#idle - this.#clock.now()
      if (left > 0) this.#arm(left)
      else this.#onStall()
    }, delay)
  }
}
