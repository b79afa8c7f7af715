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
  readonly members: ReadonlySet<Backend>
  readonly picker: Picker
  /** How many requests may be in flight there. */
  readonly capacity: number
  /** How many are. */
  inFlight: number
  #isSaturated: boolean

  /** `before`: the tier of that name in the set before. */
  constructor(name: string, members: readonly Backend[], picker: Picker, before: Tier | undefined) {
    this.name = name
    this.#isSaturated = before !== undefined && before.#isSaturated
    this.members = new Set(members)
    this.picker = picker
    this.capacity = members.reduce((sum, { maxInFlight }) => sum + maxInFlight, 0)
    this.inFlight = members.reduce((sum, { inFlight }) => sum + inFlight, 0)
  }

  /** Is it too busy for more? It stays so until it is down to `relief`, so that traffic does not flutter. Changes nothing. */
  isSaturated({ saturation, relief }: SaturationLimits): boolean {
    const used = this.inFlight / this.capacity
    return this.#isSaturated ? used > relief : used >= saturation
  }

  /** The same, and remembers it. */
  settle(limits: SaturationLimits): boolean {
    return (this.#isSaturated = this.isSaturated(limits))
  }
}
