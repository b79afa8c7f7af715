import type { Attempt } from '@fastify-balancer/balancer-core'

/** Attempts that have waited too long. */
export interface Overdue {
  readonly count: number
  /** Since when the one that waits longest does, on the clock in ms; 0 without any. */
  readonly oldest: number
}

/** Which attempts are looked for among those that wait; on the clock, in ms. */
export interface WaitingSpan {
  readonly from: number
  readonly since: number
  readonly until: number
  readonly resumedAt: number
  readonly now: number
  /** Is it known that the path of this attempt takes so many ms? Then it does not count. */
  readonly explains: (attempt: Attempt, waited: number) => boolean
}

/** Where an attempt stands among those that wait. */
const placeOf = Symbol('health-check.place')
type Placed = Attempt & { [placeOf]?: number }

/**
 * The attempts at one backend that have no response headers yet: exact, and a constant cost for each attempt. A place
 * that is left is emptied and used again. (A Set would do, but for its tables: thrown away again and again, they keep
 * what was in them alive until the next great garbage collection, and every request with it.)
 */
export class Waiting {
  readonly #places: (Placed | undefined)[] = []
  readonly #free: number[] = []

  get size(): number {
    return this.#places.length - this.#free.length
  }

  /** When the one that waits longest began, on the clock in ms; undefined without any. */
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

  /** Does nothing for one that has left already. */
  leave(attempt: Placed): void {
    const place = attempt[placeOf]
    if (place === undefined || this.#places[place] !== attempt) return
    this.#places[place] = undefined
    this.#free.push(place)
  }

  /**
   * Those that began after `from`, and wait for the backend since `since` or later, but before `until`. Waiting before
   * `resumedAt`, when this process came back from a pause, does not count; nor does one whose body is still being sent:
   * it may be the client that keeps it waiting.
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
