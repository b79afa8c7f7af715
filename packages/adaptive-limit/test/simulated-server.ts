import { Aimd } from '../src/algorithms/aimd.ts'
import type { LimitAlgorithm } from '../src/algorithms/algorithm.ts'
import { BackendLimit } from '../src/backend-limit.ts'

interface Request {
  readonly startedAt: number
  readonly endsAt: number
}

/**
 * A server that works at some requests at once, first come, first served, and clients that send as many as the limit
 * allows, up to `demand`. Time is simulated.
 */
export class SimulatedServer {
  now = 0
  /** ms that a request takes once it is its turn. */
  service: () => number
  /** Most requests that clients would have in flight. */
  demand = Infinity
  maxInFlight = 1000
  limit = 0
  readonly control: BackendLimit
  readonly #slots: number[]
  #under: Request[] = []

  constructor(
    slots: number,
    service: () => number,
    algorithm: LimitAlgorithm = new Aimd({ initial: 20, min: 3, timeout: 5000 }),
  ) {
    this.service = service
    this.#slots = Array.from({ length: slots }, () => 0)
    this.control = new BackendLimit(this, algorithm, 1000, 0, (limit) => {
      this.limit = Math.floor(Math.min(limit, this.maxInFlight))
    })
  }

  get inFlight(): number {
    return this.#under.length
  }

  /** Goes on for so many ms; returns the response times. */
  run(duration: number): readonly number[] {
    const end = this.now + duration
    const times: number[] = []
    for (;;) {
      while (this.#under.length < Math.min(this.limit, this.demand)) this.#send()
      const next = this.#under.reduce((first, one) => (one.endsAt < first.endsAt ? one : first))
      if (next.endsAt > end) break
      this.now = next.endsAt
      const time = this.now - next.startedAt
      times.push(time)
      this.control.answered(next.startedAt, time, this.now)
      this.#under = this.#under.filter((one) => one !== next)
    }
    this.now = end
    return times
  }

  #send(): void {
    const free = this.#slots.indexOf(Math.min(...this.#slots))
    const endsAt = Math.max(this.#slots[free]!, this.now) + this.service()
    this.#slots[free] = endsAt
    this.#under.push({ startedAt: this.now, endsAt })
  }
}
