import type { Backend, Picker } from '@fastify-balancer/balancer-core'

/** Used parts from which on a tier is saturated, and down to which it stays so; 0 to 1. */
export interface SaturationLimits {
  readonly saturation: number
  readonly relief: number
}

/** Backends that get their share of the traffic together. */
export class Tier {
  /** As `explain` calls it. */
  readonly name: string
  /** Each with its limit when it was last counted: an adaptive one moves. */
  readonly #limits: Map<Backend, number>
  readonly picker: Picker
  /** How many requests may be in flight there. */
  #capacity: number
  /** How many are. */
  #inFlight: number
  #isSaturated: boolean

  /** `before`: the tier of that name in the set before. */
  constructor(name: string, members: readonly Backend[], picker: Picker, before: Tier | undefined) {
    this.name = name
    this.#isSaturated = before !== undefined && before.#isSaturated
    this.#limits = new Map(members.map((backend) => [backend, backend.limit]))
    this.picker = picker
    this.#capacity = members.reduce((sum, { limit }) => sum + limit, 0)
    this.#inFlight = members.reduce((sum, { inFlight }) => sum + inFlight, 0)
  }

  has(backend: Backend): boolean {
    return this.#limits.has(backend)
  }

  /** An attempt has started at a backend, or ended: `step` is 1 or -1. Does nothing for backends of other tiers. */
  count(backend: Backend, step: 1 | -1): void {
    const before = this.#limits.get(backend)
    if (before === undefined) return
    this.#inFlight += step
    if (backend.limit === before) return
    this.#capacity += backend.limit - before
    this.#limits.set(backend, backend.limit)
  }

  /** Is it too busy for more? It stays so until it is down to `relief`, so that traffic does not flutter. Changes nothing. */
  isSaturated({ saturation, relief }: SaturationLimits): boolean {
    const used = this.#inFlight / this.#capacity
    return used >= saturation || (this.#isSaturated && used > relief)
  }

  /** The same, and remembers it. */
  settle(limits: SaturationLimits): boolean {
    return (this.#isSaturated = this.isSaturated(limits))
  }
}
