import type { Attempt } from '@fastify-balancer/balancer-core'

/** Attempts that have waited too long. */
export interface Overdue {
  readonly count: number
  /** When the one that waits longest began, on the clock in ms; 0 without any. */
  readonly oldest: number
}

const none: Overdue = { count: 0, oldest: 0 }

/**
 * The attempts at one backend that have no response headers yet, in the order in which they began: exact, a constant
 * cost for each attempt, and nothing is kept of one that has its response.
 */
export class Waiting {
  readonly #attempts = new Set<Attempt>()

  get size(): number {
    return this.#attempts.size
  }

  /** When the one that waits longest began, on the clock in ms; undefined without any. */
  get oldest(): number | undefined {
    for (const { startedAt } of this.#attempts) return startedAt
    return undefined
  }

  enter(attempt: Attempt): void {
    this.#attempts.add(attempt)
  }

  leave(attempt: Attempt): void {
    this.#attempts.delete(attempt)
  }

  /**
   * Those that began after `from`, at or after `since`, and before `until`. One whose body is still being sent does not
   * count: it may be the client that keeps it waiting.
   */
  begun({ from, since, until }: { from: number; since: number; until: number }): Overdue {
    let count = 0
    let oldest = 0
    for (const attempt of this.#attempts) {
      const { startedAt } = attempt
      if (startedAt >= until) break
      if (startedAt <= from || startedAt < since || (attempt.started && !attempt.uploaded)) continue
      if (count++ === 0) oldest = startedAt
    }
    return count === 0 ? none : { count, oldest }
  }
}
