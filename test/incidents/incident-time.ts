import type { TestContext } from 'node:test'
import { ManualClock } from '../support/clock.ts'

/** No other timer is set for so long (ms): those that are, are probes under way. */
export const probeTimeout = 1999

/** Time that passes only when the test says so: the clock of the balancer, and the time of day. */
export class IncidentTime extends ManualClock {
  readonly #probes = new Set<unknown>()
  readonly #began: number
  #isOver = false

  /** The test will let at most `lasts` ms pass before it calls `end`: from then on it is now, as it is for a browser. */
  constructor(t: TestContext, lasts: number) {
    super(5000)
    const { now } = Date
    this.#began = now() - lasts
    const real = this.now()
    t.mock.method(Date, 'now', () => (this.#isOver ? now() : this.#began + this.now() - real))
  }

  /** Probes under way. */
  get probes(): number {
    return this.#probes.size
  }

  /** The time of day is that of a browser again. */
  end(): void {
    this.#isOver = true
  }

  override setTimeout(callback: () => void, delay: number): unknown {
    if (delay !== probeTimeout) return super.setTimeout(callback, delay)
    const timer = super.setTimeout(() => {
      this.#probes.delete(timer)
      callback()
    }, delay)
    this.#probes.add(timer)
    return timer
  }

  override clearTimeout(timer: unknown): void {
    this.#probes.delete(timer)
    super.clearTimeout(timer)
  }
}
