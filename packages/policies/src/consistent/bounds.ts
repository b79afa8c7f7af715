import type { Backend } from '@fastify-balancer/balancer-core'
import type { InFlight } from './in-flight.ts'

/**
 * Bounded load (arXiv 1608.01350): how many requests each backend may have, so that a key that everybody asks for does not
 * overload its own. Slots as in Envoy, `thread_aware_lb_impl.cc`: all requests in flight and the new one, × the factor, by
 * weight, rounded up; and as in HAProxy, a backend takes another one only below its slots, so that it never exceeds them.
 */
export class Bounds {
  readonly #backends: readonly Backend[]
  /** Effective weights: in slow start, a backend has few slots. */
  readonly #weights: Float64Array
  readonly #totalWeight: number
  readonly #inFlight: InFlight
  readonly #percent: number
  #total = 0

  /** `factor` is 1 or more; 0 = only its own limit bounds. */
  constructor(backends: readonly Backend[], inFlight: InFlight, factor: number) {
    this.#backends = backends
    this.#inFlight = inFlight
    this.#percent = Math.round(factor * 100)
    this.#weights = Float64Array.from(backends, ({ effectiveWeight }) => effectiveWeight)
    this.#totalWeight = this.#weights.reduce((sum, one) => sum + one, 0)
  }

  get areOn(): boolean {
    return this.#percent > 0
  }

  /** To be called before the others, for each request: takes in how many requests there are. */
  update(): void {
    if (this.#percent > 0) this.#total = Math.floor(((this.#inFlight.count + 1) * this.#percent + 99) / 100)
  }

  /** How many requests this one may have. */
  slotsOf(index: number): number {
    return Math.max(1, Math.ceil((this.#total * this.#weights[index]!) / this.#totalWeight))
  }

  /** May it have one more? */
  readonly isBelow = (index: number): boolean => {
    const { inFlight, limit } = this.#backends[index]!
    return inFlight < limit && (this.#percent === 0 || inFlight < this.slotsOf(index))
  }

  /** Has it room, bounds or not? */
  readonly hasRoom = (index: number): boolean => {
    const { inFlight, limit } = this.#backends[index]!
    return inFlight < limit
  }
}
