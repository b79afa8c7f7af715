import { ownMember } from '@fastify-balancer/option-schema'
import type { Static } from '@sinclair/typebox'
import type { BackendView, ProcessView } from '../schemas/views.ts'
import { mergedBackend } from './merging/merged-backend.ts'
import {
  mergedCounts,
  mergedRevisions,
  mergedSummary,
  type Counts,
  type Revisions,
  type Summary,
} from './merging/merged-balancer.ts'
import { placeOf, type LeftBalancer } from './left.ts'

/** What is asked: about which balancer, or all; and about its backends: all, the one with an id, or none. */
export interface ViewQuestion {
  readonly balancer?: string
  readonly backends: 'all' | 'none' | { readonly id: string }
}

/** What an instance tells of a balancer. */
export interface ToldBalancer {
  readonly summary: Summary
  readonly counts: Counts
  readonly revisions: Revisions
  readonly backends: readonly BackendView[]
}

/** The answer to a `ViewQuestion`, by the names of balancers. */
export interface ToldViews {
  readonly balancers: Readonly<Record<string, ToldBalancer>>
  readonly load?: Static<typeof ProcessView> | undefined
}

/** What the other instances tell of one balancer, and what ended ones have left. */
export class Elsewhere {
  readonly #told: readonly ToldBalancer[]
  readonly #left: LeftBalancer | undefined
  readonly #backends: ReadonlyMap<string, readonly BackendView[]>

  constructor(told: readonly ToldBalancer[], left?: LeftBalancer) {
    this.#told = told
    this.#left = left
    this.#backends = Map.groupBy(
      told.flatMap(({ backends }) => backends),
      placeOf,
    )
  }

  /** A backend as all see it. */
  backend(own: BackendView): BackendView {
    const place = placeOf(own)
    const others = this.#backends.get(place) ?? []
    const left = this.#left?.backends[place]
    if (others.length === 0 && left === undefined) return own
    return mergedBackend([own, ...others], left === undefined ? [] : [left])
  }

  summary(own: Summary): Summary {
    return mergedSummary(
      [own, ...this.#told.map(({ summary }) => summary)],
      this.#left === undefined ? [] : [this.#left],
    )
  }

  counts(own: Counts): Counts {
    return mergedCounts([own, ...this.#told.map(({ counts }) => counts)])
  }

  revisions(own: Revisions): Revisions {
    return mergedRevisions([own, ...this.#told.map(({ revisions }) => revisions)])
  }
}

/** What others tell, by balancer. */
export class AllElsewhere {
  readonly #answers: readonly ToldViews[]
  readonly #left: Readonly<Record<string, LeftBalancer>>

  constructor(answers: readonly ToldViews[], left: Readonly<Record<string, LeftBalancer>> = {}) {
    this.#answers = answers
    this.#left = left
  }

  of(balancer: string): Elsewhere {
    return new Elsewhere(
      this.#answers.flatMap(({ balancers }) => ownMember(balancers, balancer) ?? []),
      ownMember(this.#left, balancer),
    )
  }

  get loads(): readonly Static<typeof ProcessView>[] {
    return this.#answers.flatMap(({ load }) => load ?? [])
  }
}
