import type { Attempt } from '@fastify-balancer/balancer-core'

/** One failure, as whoever is woken at night wants to see it. */
export interface FailureNote {
  /** In ms since the epoch. */
  readonly at: number
  /** The reason of the core's failure table, or the status: `status 503`. */
  readonly cause: string
  /** How long the backend took until response headers, or else until it failed, once it had the whole request; ms. */
  readonly duration: number
}

const kept = 5

/** The last few failures of one backend: what a veto rests on. Written only when one fails. */
export class RecentFailures {
  #notes: readonly FailureNote[] = []

  add({ blame, outcome, status }: Attempt, duration: number): void {
    // A client that left when it had seen the status is not what failed.
    const cause = blame === 'backend' ? String(outcome) : `status ${status}`
    this.#notes = [...this.#notes.slice(1 - kept), { at: Date.now(), cause, duration: Math.round(duration) }]
  }

  /** The oldest first. */
  get notes(): readonly FailureNote[] {
    return this.#notes
  }
}
