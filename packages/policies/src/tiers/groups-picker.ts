import type { Backend, Picker, PickRequest, PolicyDetails, PolicyParts } from '@fastify-balancer/balancer-core'
import type { Group, SaturationLimits } from './group.ts'

/** How a request is given to one of several groups. */
export interface GroupRules {
  /** Undefined: groups never spill over because they are busy. */
  readonly limits: SaturationLimits | undefined
  /** The part of each group, in the order of groups; they add up to 1. */
  readonly shares: () => readonly number[]
  /** A point from 0 up to 1 that is always the same for this request; undefined: a random one. */
  readonly pointOf?: (request: PickRequest) => number | undefined
  /** The group that this request asks for, by its place in the list. */
  readonly wanted?: (request: PickRequest) => number | undefined
}

/** Chooses a group by its share, or by the request, and lets that group's own picker choose in it. */
export class GroupsPicker implements Picker {
  readonly groups: readonly Group[]
  readonly #rules: GroupRules
  readonly #draws: ReturnType<PolicyParts['draws']>
  #shares: readonly number[] | undefined

  constructor(groups: readonly Group[], rules: GroupRules, draws: ReturnType<PolicyParts['draws']>) {
    this.groups = groups
    this.#rules = rules
    this.#draws = draws
  }

  pick(request: PickRequest, asked = 0): Backend | null | undefined {
    if (this.groups.length < 2) return this.groups[0]?.picker.pick(request, asked)
    const { limits } = this.#rules
    if (limits !== undefined) for (const group of this.groups) group.settle(limits)
    const place = this.#placeOf(request, () => this.#draws.next())
    return this.#withRoom(place)?.picker.pick(request, asked)
  }

  peek(request: PickRequest, ahead = 0): Backend | null | undefined {
    if (this.groups.length < 2) return this.groups[0]?.picker.peek(request, ahead)
    const groupAfter = (picks: number) => this.#withRoom(this.#placeOf(request, () => this.#draws.peek(picks)))
    const group = groupAfter(ahead)
    // How often this group's picker will have been asked by then.
    const before = Array.from({ length: ahead }, (_, picks) => groupAfter(picks)).filter((one) => one === group)
    return group?.picker.peek(request, before.length)
  }

  accepts(request: PickRequest, backend: Backend): boolean {
    const place = this.groups.findIndex(({ members }) => members.has(backend))
    const group = this.groups[place]
    if (group === undefined) return this.groups.some(({ picker }) => picker.accepts?.(request, backend) ?? false)
    const wanted = this.#rules.wanted?.(request)
    if (wanted !== undefined && wanted !== place) return false
    // It waits because the others are full, or it would not wait.
    return this.#partOf(place) > 0 || this.groups.slice(0, place).every((one) => this.#isBusy(one))
  }

  score(backend: Backend): number {
    return this.#groupOf(backend)?.picker.score?.(backend) ?? 0
  }

  details(backend: Backend): PolicyDetails {
    const place = this.groups.findIndex(({ members }) => members.has(backend))
    const group = this.groups[place]
    return {
      ...group?.picker.details?.(backend),
      group: group?.name ?? null,
      share: group === undefined ? 0 : this.#partOf(place),
    }
  }

  basis(request: PickRequest): PolicyDetails {
    const first = this.#placeOf(request, () => this.#draws.peek(0))
    const shares = this.groups.map(({ name }, place) => `${name} ${Math.round(this.#partOf(place) * 100)} %`)
    const saturated = this.groups.filter((group) => this.#isBusy(group)).map(({ name }) => name)
    const group = this.#withRoom(first)
    return {
      ...group?.picker.basis?.(request),
      shares: shares.join(', '),
      saturated: saturated.length === 0 ? null : saturated.join(', '),
      group: group?.name ?? null,
    }
  }

  /** The shares hang on the whole list, which is not known when the picker is built. */
  #partOf(place: number): number {
    return (this.#shares ??= this.#rules.shares())[place] ?? 0
  }

  #groupOf(backend: Backend): Group | undefined {
    return this.groups.find(({ members }) => members.has(backend))
  }

  #isBusy(group: Group): boolean {
    const { limits } = this.#rules
    return limits !== undefined && group.isSaturated(limits)
  }

  /** The group that is due, by its place. */
  #placeOf(request: PickRequest, draw: () => number): number {
    const { wanted, pointOf } = this.#rules
    const asked = wanted?.(request)
    if (asked !== undefined) return asked
    let point = pointOf?.(request) ?? draw()
    for (let place = 0; place < this.groups.length; place++) {
      point -= this.#partOf(place)
      if (point < 0) return place
    }
    // Shares that were rounded.
    return this.groups.length - 1
  }

  /** The group at that place, or if it is saturated the next one that is not; if all are, itself. */
  #withRoom(place: number): Group | undefined {
    const { groups } = this
    const due = groups[place % groups.length]
    if (due === undefined || !this.#isBusy(due)) return due
    for (let step = 1; step < groups.length; step++) {
      const other = groups[(place + step) % groups.length]!
      if (!this.#isBusy(other)) return other
    }
    return due
  }
}
