import type { Clock } from '@fastify-balancer/balancer-core'

/** Something that comes again and again, and is waited for. */
export class Awaited {
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves the next time that it comes, at most after `patience` ms. */
  next(patience: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        this.#clock.clearTimeout(timer)
        this.#waiting.delete(end)
        resolve()
      }
      const timer = this.#clock.setTimeout(end, patience)
      this.#waiting.add(end)
    })
  }

  /** It has come. */
  tell(): void {
    for (const end of this.#waiting) end()
  }
}
