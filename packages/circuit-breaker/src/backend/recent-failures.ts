import type { Attempt, Outcome } from '@fastify-balancer/balancer-core'

/** One failure, as an operator needs to see it. */
export interface FailureNote {
  /** In ms since the epoch. */
  readonly at: number
  /** The failure reason, or the status: `status 503`. */
  readonly cause: string
  /** Time from the end of the request until the response headers, or until it failed; ms. */
  readonly duration: number
}

const kept = 5

/** These are the failures of requests at a backend that was stopped. */
const brokenOff: ReadonlySet<Outcome> = new Set<Outcome>(['reset-before-headers', 'body-truncated'])

/** The last few failures of one backend: the evidence of its veto. Written only on failures. */
export class RecentFailures {
  #notes: readonly FailureNote[] = []

  /** In the last failure it could not be reached, or went away: a successful probe disproves that. */
  wasGone = false

  add({ blame, outcome, status, grpcStatus, started }: Attempt, duration: number): void {
    this.wasGone = blame === 'backend' && (!started || (outcome !== undefined && brokenOff.has(outcome)))
    // If a failure status had arrived, that is the failure, not the client that left afterwards.
    const cause = blame === 'backend' ? String(outcome) : `status ${grpcStatus ?? status}`
    this.#notes = [...this.#notes.slice(1 - kept), { at: Date.now(), cause, duration: Math.round(duration) }]
  }

  /** The oldest first. */
  get notes(): readonly FailureNote[] {
    return this.#notes
  }
}
