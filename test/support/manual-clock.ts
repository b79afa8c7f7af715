import type { Clock } from '@fastify-balancer/balancer-core'

interface Timer {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

/** Time that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #now = 0
  #order = 0
  readonly #timers = new Set<Timer>()

  /** Timers that have been set and have neither fired nor been taken back. */
  get pending(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now
  }

  setTimeout(callback: () => void, delay: number): Timer {
    const timer = { at: this.#now + delay, order: this.#order++, callback }
    this.#timers.add(timer)
    return timer
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as Timer)
  }

  /** Lets `duration` ms pass; whatever falls due in them is called, in order, at its own time. */
  advance(duration: number): void {
    const end = this.#now + duration
    for (;;) {
      const [next] = [...this.#timers]
        .filter(({ at }) => at <= end)
        .sort((left, right) => left.at - right.at || left.order - right.order)
      if (next === undefined) break
      this.#timers.delete(next)
      this.#now = next.at
      next.callback()
    }
    this.#now = end
  }
}
