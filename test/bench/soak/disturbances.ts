import { setTimeout as delay } from 'node:timers/promises'

/** What disturbs requests from outside: while it lasts, they may end in any way, but they end. */
export class Disturbances {
  readonly #all: readonly (() => Promise<unknown>)[]
  #count = 0
  #isActive = false

  constructor(all: readonly (() => Promise<unknown>)[]) {
    this.#all = all
  }

  get count(): number {
    return this.#count
  }

  /** Says whether a request may be disturbed that begins now, once it has ended. */
  watch(): () => boolean {
    const before = this.#count
    const wasActive = this.#isActive
    return () => wasActive || this.#count !== before
  }

  /** Disturbs in turn, with a pause between, until the signal. */
  async run(pause: number, signal: AbortSignal): Promise<void> {
    for (let turn = 0; ; turn++) {
      await delay(pause, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      this.#count++
      this.#isActive = true
      await this.#all[turn % this.#all.length]!()
      this.#isActive = false
    }
  }
}
