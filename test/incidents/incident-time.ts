import type { TestContext } from 'node:test'
import { ManualClock } from '../support/clock.ts'

/** No other timer is set for so long (ms): those that are, are probes under way. */
export const probeTimeout = 1999

/** Time that passes only when the test says so: the clock of the balancer, and the time of day. */
export class IncidentTime extends ManualClock {
  readonly #probes = new Set<unknown>()
  /** When `lasts` ms have passed, it is about now, as it is for a browser. */
  constructor(t: TestContext, lasts: number) {
    super(5000)
    const ahead = Date.now() - lasts - this.now()
    t.mock.method(Date, 'now', () => ahead + this.now())
  }

  /** Probes under way. */
  get probes(): number {
    return this.#probes.size
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
