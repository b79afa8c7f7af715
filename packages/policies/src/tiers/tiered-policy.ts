// Room `tiers`: policies that split the backends into tiers, and give each its share of the requests.
import type { Attempt, Backend, Balancer, PickRequest, Policy, PolicyParts } from '@fastify-balancer/balancer-core'
import { Tier } from './tier.ts'
import { TiersPicker, type TierRules } from './tiers-picker.ts'

/** The backends of one tier. */
export interface Members {
  readonly name: string
  readonly backends: readonly Backend[]
}

/** Splits what there is to pick from: the preferred tier first, none of them empty. */
export type Split = (available: readonly Backend[], spare: readonly Backend[]) => readonly Members[]

/** The rules for these tiers; `all` is every backend of the balancer. */
export type RulesFor = (tiers: readonly Members[], all: () => readonly Backend[]) => TierRules

type InnerPolicy = ReturnType<PolicyParts['inner']>

/** A policy that chooses between tiers; in each of them, an inner policy of its own chooses. */
export class TieredPolicy implements Policy {
  readonly name: string
  readonly #split: Split
  readonly #rulesFor: RulesFor
  readonly #parts: PolicyParts
  readonly #draws: ReturnType<PolicyParts['draws']>
  readonly #drawn = new WeakMap<PickRequest, number>()
  /** By the tier's name, so that each goes on in a new set where it was. */
  readonly #inner = new Map<string, InnerPolicy>()
  readonly #detach = new Map<InnerPolicy, (() => void) | undefined>()
  #balancer: Balancer | undefined
  #tiers: readonly Tier[] = []

  constructor(name: string, split: Split, rulesFor: RulesFor, parts: PolicyParts) {
    this.name = name
    this.#split = split
    this.#rulesFor = rulesFor
    this.#parts = parts
    this.#draws = parts.draws()
  }

  over(available: readonly Backend[], draining: readonly Backend[] = [], spare: readonly Backend[] = []) {
    const split = this.#split(available, spare)
    const before = this.#tiers
    this.#tiers = split.map(({ name, backends }) => {
      const picker = this.#innerOf(name).over(backends, draining, [])
      return new Tier(
        name,
        backends,
        picker,
        before.find((tier) => tier.name === name),
      )
    })
    this.#forgetOthers(split)
    const rules = this.#rulesFor(split, () => this.#balancer?.set.all ?? split.flatMap(({ backends }) => backends))
    return new TiersPicker(this.#tiers, rules, this.#draws, this.#drawn)
  }

  attach(balancer: Balancer): () => void {
    this.#balancer = balancer
    for (const inner of this.#inner.values()) this.#attachInner(inner, balancer)
    const started = ({ backend }: Attempt) => this.#count(backend, 1)
    const ended = ({ backend }: Attempt) => this.#count(backend, -1)
    balancer.addHook('onAttemptStart', started).addHook('onAttemptEnd', ended)
    return () => {
      balancer.removeHook('onAttemptStart', started).removeHook('onAttemptEnd', ended)
      for (const detach of this.#detach.values()) detach?.()
      this.#detach.clear()
      this.#balancer = undefined
    }
  }

  #count(backend: Backend, step: 1 | -1): void {
    for (const tier of this.#tiers) tier.count(backend, step)
  }

  #innerOf(name: string): InnerPolicy {
    let inner = this.#inner.get(name)
    if (inner === undefined) {
      this.#inner.set(name, (inner = this.#parts.inner()))
      if (this.#balancer !== undefined) this.#attachInner(inner, this.#balancer)
    }
    return inner
  }

  /** Forgets tiers that are gone from the list. One that is only unhealthy keeps what it has learnt. */
  #forgetOthers(current: readonly Members[]): void {
    const listed = this.#split(this.#balancer?.set.all ?? [], [])
    const kept = new Set([...current, ...listed].map(({ name }) => name))
    for (const [name, inner] of this.#inner) {
      if (kept.has(name)) continue
      this.#inner.delete(name)
      if ([...this.#inner.values()].includes(inner)) continue
      this.#detach.get(inner)?.()
      this.#detach.delete(inner)
    }
  }

  /** A policy of the user's own is the same one for every tier, and is attached once. */
  #attachInner(inner: InnerPolicy, balancer: Balancer): void {
    if (!this.#detach.has(inner)) this.#detach.set(inner, inner.attach?.(balancer) ?? undefined)
  }
}
