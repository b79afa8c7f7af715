import type { FastifyBaseLogger } from 'fastify'
import type { CopyOutcome } from './outcome.ts'

/** At most one line within this time (ms), however many copies fail. */
const period = 60_000

/** Logs that copies fail: the first one at once, the others together. */
export class FailureLog {
  readonly #log: FastifyBaseLogger | undefined
  readonly #now: () => number
  readonly #fields: { readonly balancer: string; readonly mirror: string }
  #loggedAt = -Infinity
  #failed = 0

  constructor(log: FastifyBaseLogger | undefined, now: () => number, fields: { balancer: string; mirror: string }) {
    this.#log = log
    this.#now = now
    this.#fields = fields
  }

  failed(outcome: CopyOutcome, error: unknown): void {
    this.#failed++
    const now = this.#now()
    if (now - this.#loggedAt < period) return
    const { mirror } = this.#fields
    const what = this.#failed === 1 ? 'a copy' : `${this.#failed} copies`
    this.#log?.warn(
      { ...this.#fields, failed: this.#failed, outcome, err: error },
      `mirror ${mirror}: ${what} failed, the last one with ${outcome}; the originals are not affected`,
    )
    this.#loggedAt = now
    this.#failed = 0
  }
}
