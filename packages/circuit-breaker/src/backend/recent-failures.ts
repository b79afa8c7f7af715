import type { Attempt, Outcome } from '@fastify-balancer/balancer-core'

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

/** So fail requests that a backend had when it was stopped. */
const brokenOff: ReadonlySet<Outcome> = new Set<Outcome>(['reset-before-headers', 'body-truncated'])

/** The last few failures of one backend: what a veto rests on. Written only when one fails. */
export class RecentFailures {
  #notes: readonly FailureNote[] = []

  /** The last one was that it could not be reached, or went away: what a good probe refutes. */
  wasGone = false

  add({ blame, outcome, status, started }: Attempt, duration: number): void {
    this.wasGone = blame === 'backend' && (!started || (outcome !== undefined && brokenOff.has(outcome)))
    // A client that left when it had seen the status is not what failed.
    const cause = blame === 'backend' ? String(outcome) : `status ${status}`
    this.#notes = [...this.#notes.slice(1 - kept), { at: Date.now(), cause, duration: Math.round(duration) }]
  }

  /** The oldest first. */
  get notes(): readonly FailureNote[] {
    return this.#notes
  }
}
