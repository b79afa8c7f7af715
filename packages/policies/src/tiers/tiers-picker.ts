import type { Backend, Picker, PickRequest, PolicyDetails, PolicyParts } from '@fastify-balancer/balancer-core'
import type { Tier, SaturationLimits } from './tier.ts'

/** How a request is given to one of several tiers. */
export interface TierRules {
  /** Undefined: tiers never spill over because they are busy. */
  readonly limits: SaturationLimits | undefined
  /** The part of each tier, in the order of tiers; they add up to 1. */
  readonly shares: () => readonly number[]
  /** A point from 0 up to 1 that is always the same for this request; undefined: a random one. */
  readonly pointOf?: (request: PickRequest) => number | undefined
  /** The tier that this request asks for, by its place in the list. */
  readonly wanted?: (request: PickRequest) => number | undefined
}

/** Chooses a tier by its share, or by the request, and lets that tier's own picker choose in it. */
export class TiersPicker implements Picker {
  readonly tiers: readonly Tier[]
  readonly #rules: TierRules
  readonly #draws: ReturnType<PolicyParts['draws']>
  readonly #drawn: WeakMap<PickRequest, number>
  #shares: readonly number[] | undefined

  /** `drawn`: the points of requests that were drawn before, and keep them while they wait. */
  constructor(
    tiers: readonly Tier[],
    rules: TierRules,
    draws: ReturnType<PolicyParts['draws']>,
    drawn: WeakMap<PickRequest, number>,
  ) {
    this.tiers = tiers
    this.#rules = rules
    this.#draws = draws
    this.#drawn = drawn
  }

  pick(request: PickRequest, asked = 0): Backend | null | undefined {
    if (this.tiers.length < 2) return this.tiers[0]?.picker.pick(request, asked)
    const { limits } = this.#rules
    if (limits !== undefined) for (const tier of this.tiers) tier.settle(limits)
    const place = this.#placeOf(request, () => this.#draw(request))
    return this.#withRoom(place)?.picker.pick(request, asked)
  }

  peek(request: PickRequest, ahead = 0): Backend | null | undefined {
    if (this.tiers.length < 2) return this.tiers[0]?.picker.peek(request, ahead)
    const tierAfter = (picks: number) =>
      this.#withRoom(this.#placeOf(request, () => this.#drawn.get(request) ?? this.#draws.peek(picks)))
    const tier = tierAfter(ahead)
    // How often this tier's picker will have been asked by then.
    const before = Array.from({ length: ahead }, (_, picks) => tierAfter(picks)).filter((one) => one === tier)
    return tier?.picker.peek(request, before.length)
  }

  accepts(request: PickRequest, backend: Backend): boolean {
    const place = this.tiers.findIndex((tier) => tier.has(backend))
    const tier = this.tiers[place]
    if (tier === undefined) return this.tiers.some(({ picker }) => picker.accepts?.(request, backend) ?? false)
    const wanted = this.#rules.wanted?.(request)
    if (wanted !== undefined && wanted !== place) return false
    // It waits because the others are full, or it would not wait.
    const isDue = this.#partOf(place) > 0 || this.tiers.slice(0, place).every((one) => this.#isBusy(one))
    return isDue && tier.picker.refuses?.(request, backend) !== true
  }

  refuses(request: PickRequest, backend: Backend): boolean {
    const { tiers } = this
    const place = tiers.findIndex((tier) => tier.has(backend))
    const tier = tiers[place]
    if (tier === undefined) return false
    // Tiers that spill over when they are busy have done so already.
    if (tiers.length > 1 && this.#rules.limits === undefined && !this.#isFor(request, place)) return true
    return tier.picker.refuses?.(request, backend) ?? false
  }

  score(backend: Backend): number {
    return this.#tierOf(backend)?.picker.score?.(backend) ?? 0
  }

  details(backend: Backend): PolicyDetails {
    const place = this.tiers.findIndex((tier) => tier.has(backend))
    const tier = this.tiers[place]
    return {
      ...tier?.picker.details?.(backend),
      tier: tier?.name ?? null,
      share: tier === undefined ? 0 : this.#partOf(place),
    }
  }

  basis(request: PickRequest): PolicyDetails {
    const first = this.#placeOf(request, () => this.#draws.peek(0))
    const shares = this.tiers.map(({ name }, place) => `${name} ${Math.round(this.#partOf(place) * 100)} %`)
    const saturated = this.tiers.filter((tier) => this.#isBusy(tier)).map(({ name }) => name)
    const tier = this.#withRoom(first)
    return {
      ...tier?.picker.basis?.(request),
      shares: shares.join(', '),
      saturated: saturated.length === 0 ? null : saturated.join(', '),
      tier: tier?.name ?? null,
    }
  }

  /** Is it this tier that the request is given to? */
  #isFor(request: PickRequest, place: number): boolean {
    return this.#placeOf(request, () => this.#drawn.get(request) ?? this.#draws.peek(0)) === place
  }

  /** Where tiers do not spill over, a request stays where it was drawn to: if that is full, it waits there. */
  #draw(request: PickRequest): number {
    const point = this.#drawn.get(request) ?? this.#draws.next()
    if (this.#rules.limits === undefined) this.#drawn.set(request, point)
    return point
  }

  /** The shares hang on the whole list, which is not known when the picker is built. */
  #partOf(place: number): number {
    return (this.#shares ??= this.#rules.shares())[place] ?? 0
  }

  #tierOf(backend: Backend): Tier | undefined {
    return this.tiers.find((tier) => tier.has(backend))
  }

  #isBusy(tier: Tier): boolean {
    const { limits } = this.#rules
    return limits !== undefined && tier.isSaturated(limits)
  }

  /** The tier that is due, by its place. */
  #placeOf(request: PickRequest, draw: () => number): number {
    const { wanted, pointOf } = this.#rules
    const asked = wanted?.(request)
    if (asked !== undefined) return asked
    let point = pointOf?.(request) ?? draw()
    for (let place = 0; place < this.tiers.length; place++) {
      point -= this.#partOf(place)
      if (point < 0) return place
    }
    // Shares that were rounded.
    return this.tiers.length - 1
  }

  /** The tier at that place, or if it is saturated the next one that is not; if all are, itself. */
  #withRoom(place: number): Tier | undefined {
    const { tiers } = this
    const due = tiers[place % tiers.length]
    if (due === undefined || !this.#isBusy(due)) return due
    for (let step = 1; step < tiers.length; step++) {
      const other = tiers[(place + step) % tiers.length]!
      if (!this.#isBusy(other)) return other
    }
    return due
  }
}
