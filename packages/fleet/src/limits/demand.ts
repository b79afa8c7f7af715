import type { Backend, Balancer } from '@fastify-balancer/balancer-core'

/** A quarter more than is in flight at most, so that there is room to grow until the next correction. */
const ahead = 1.25

interface Peak {
  now: number
  before: number
}

/** How many requests this instance could have in flight to each backend: its peak of the last two periods. */
export class Demand {
  readonly #balancer: Balancer
  #peaks = new Map<Backend, Peak>()

  constructor(balancer: Balancer) {
    this.#balancer = balancer
  }

  /** Looks at what is in flight. Requests that wait count for the backends that are full. */
  sample(): void {
    const { backends, queue } = this.#balancer
    const full = queue.length === 0 ? 0 : backends.filter(({ inFlight, limit }) => inFlight >= limit).length
    const waiting = full === 0 ? 0 : Math.ceil(queue.length / full)
    for (const backend of backends) {
      const { inFlight, limit } = backend
      if (inFlight === 0) continue
      const peak = this.#peaks.get(backend) ?? { now: 0, before: 0 }
      peak.now = Math.max(peak.now, inFlight + (inFlight >= limit ? waiting : 0))
      this.#peaks.set(backend, peak)
    }
  }

  /** A new period begins. */
  turn(): void {
    for (const [backend, peak] of this.#peaks) {
      peak.before = peak.now
      peak.now = 0
      if (peak.before === 0) this.#peaks.delete(backend)
    }
  }

  wants(backend: Backend): number {
    const peak = this.#peaks.get(backend)
    return peak === undefined ? 0 : Math.ceil(Math.max(peak.now, peak.before) * ahead)
  }
}
