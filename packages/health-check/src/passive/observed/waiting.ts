import type { Attempt } from '@fastify-balancer/balancer-core'

/** Attempts that have waited too long. */
export interface Overdue {
  readonly count: number
  /** Start of the longest wait, on the clock in ms; 0 without any. */
  readonly oldest: number
}

/** Which waiting attempts to count; times on the clock, in ms. */
export interface WaitingSpan {
  readonly from: number
  readonly since: number
  readonly until: number
  readonly resumedAt: number
  readonly now: number
  /** Is this wait (ms) usual for the attempt's path? Then it does not count. */
  readonly explains: (attempt: Attempt, waited: number) => boolean
}

/** Index of an attempt among the waiting ones. */
const placeOf = Symbol('health-check.place')
type Placed = Attempt & { [placeOf]?: number }

/**
 * The attempts at one backend without response headers: exact, at a constant cost per attempt. Places in the array are
 * reused. (A Set would keep replacing its tables, and those keep every request alive that was ever in them until the
 * next full garbage collection.)
 */
export class Waiting {
  readonly #places: (Placed | undefined)[] = []
  readonly #free: number[] = []

  get size(): number {
    return this.#places.length - this.#free.length
  }

  /** Start of the one that has waited longest, on the clock in ms; undefined without any. */
  get oldest(): number | undefined {
    let oldest: number | undefined
    for (const attempt of this.#places) {
      if (attempt !== undefined && (oldest === undefined || attempt.startedAt < oldest)) oldest = attempt.startedAt
    }
    return oldest
  }

  enter(attempt: Placed): void {
    const place = this.#free.pop() ?? this.#places.length
    this.#places[place] = attempt
    attempt[placeOf] = place
  }

  /** Does nothing if it was removed already. */
  leave(attempt: Placed): void {
    const place = attempt[placeOf]
    if (place === undefined || this.#places[place] !== attempt) return
    this.#places[place] = undefined
    this.#free.push(place)
  }

  /**
   * Counts those that began after `from` and have been waiting for the backend since a time between `since` and
   * `until`. Waits before `resumedAt`, the end of the last pause of this process, do not count; nor do attempts whose
   * body is still being sent, since the client may be slow.
   */
  begun({ from, since, until, resumedAt, now, explains }: WaitingSpan): Overdue {
    let count = 0
    let oldest = 0
    for (const attempt of this.#places) {
      const asked = attempt?.askedAt
      if (asked === undefined || asked < since || attempt!.startedAt <= from) continue
      const counted = Math.max(asked, resumedAt)
      if (counted >= until || explains(attempt!, now - asked)) continue
      if (count++ === 0 || counted < oldest) oldest = counted
    }
    return { count, oldest }
  }
}
