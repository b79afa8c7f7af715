import type { Backend, PolicyParts } from '@fastify-balancer/balancer-core'

/** Costs this close to the least are equal to it: estimates are no more exact than that. */
const tolerance = 1.02

/** The least cost of some backends, and one of the cheapest: drawn at random, by weight. */
export class Cheapest {
  readonly #backends: readonly Backend[]
  readonly #costs: Float64Array
  readonly #draws: ReturnType<PolicyParts['draws']>

  constructor(backends: readonly Backend[], draws: ReturnType<PolicyParts['draws']>) {
    this.#backends = backends
    this.#costs = new Float64Array(backends.length)
    this.#draws = draws
  }

  /** Each pick takes one random number. O(n). */
  pick(costOf: (index: number) => number): Backend | undefined {
    return this.#choose(costOf, this.#draws.next())
  }

  peek(costOf: (index: number) => number, ahead: number): Backend | undefined {
    return this.#choose(costOf, this.#draws.peek(ahead))
  }

  #choose(costOf: (index: number) => number, draw: number): Backend | undefined {
    const costs = this.#costs
    let least = Infinity
    for (let index = 0; index < costs.length; index++) {
      costs[index] = costOf(index)
      if (costs[index]! < least) least = costs[index]!
    }
    let total = 0
    for (let index = 0; index < costs.length; index++)
      if (costs[index]! <= least * tolerance) total += this.#backends[index]!.effectiveWeight
    let point = draw * total
    let last: Backend | undefined
    for (let index = 0; index < costs.length; index++) {
      if (costs[index]! > least * tolerance) continue
      last = this.#backends[index]!
      point -= last.effectiveWeight
      if (point < 0) return last
    }
    // Rounding may leave a point at the very end of the line.
    return last
  }
}
