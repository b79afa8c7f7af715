import type { Attempt, AttemptOwner } from '../attempt/attempt.ts'
import { idempotentMethods, type RetryOptions } from '../attempt/retry-options.ts'
import { isSigningIn } from '../attempt/signed-in.ts'
import type { BackendSet } from '../backends/backend-set.ts'
import type { Backend } from '../backends/backend.ts'
import { failures, type FailureReason } from '../failure.ts'
import type { Outgoing } from '../request/outgoing-request.ts'
import type { Hedging, Watched } from './hedging.ts'

/** The request: an exchange. */
interface Hedged extends AttemptOwner {
  readonly home: Backend | undefined
  readonly options: { readonly retry: RetryOptions }
  readonly balancer: {
    readonly set: BackendSet
    readonly queue: { readonly length: number }
    readonly picking: {
      isBound(exchange: AttemptOwner): boolean
      refuses(backend: Backend, exchange: AttemptOwner): boolean
    }
    pick(exchange: AttemptOwner): Attempt | 'saturated' | 'none'
  }
  /** Sends an attempt beside the one that is running. */
  send(attempt: Attempt): void
}

/** Media types of responses that have no end. */
const endless = /\btext\/event-stream\b/i

/**
 * May this request run at two backends at once? Only without a body, with an idempotent method that may be retried. Not a
 * stream, as far as can be known before; and not of a client that is bound to one backend, or is or may be signed in at one only.
 */
function mayHedge({ method, body, upgrade }: Outgoing, exchange: Hedged): boolean {
  const { call, home, headers, options, balancer } = exchange
  if (body !== null || upgrade !== undefined || call !== undefined || home !== undefined) return false
  if (!idempotentMethods.has(method) || !options.retry.methods.includes(method)) return false
  const { accept, authorization } = headers
  if (endless.test(String(accept)) || isSigningIn(authorization)) return false
  return !balancer.picking.isBound(exchange)
}

/**
 * The hedging of one request: at most one attempt beside another, where that one is slow. The first of both that responds
 * wins, and the other is cancelled; while one of them is running, the failure of the other has no consequences.
 */
export class Hedge implements Watched {
  previousWatched: Watched | undefined
  nextWatched: Watched | undefined
  watched = false
  sentAt = 0
  /** The attempt beside the one that is slow, while both are running. */
  beside: Attempt | undefined
  #first: Attempt | undefined
  readonly #exchange: Hedged
  readonly #hedging: Hedging
  #isSpent = false

  constructor(exchange: Hedged, hedging: Hedging) {
    this.#exchange = exchange
    this.#hedging = hedging
  }

  /** This attempt has been sent: if it is slow, there will be one beside it, unless there was one before. */
  watch(attempt: Attempt): void {
    // It may have failed at once, and another one has followed.
    if (attempt.isOver || attempt.status !== 0) return
    this.#first = attempt
    this.sentAt = attempt.startedAt
    if (!this.#isSpent && !attempt.lastResort) this.#hedging.watch(this)
  }

  onSlow(): void {
    const { balancer } = this.#exchange
    // Those that wait come first.
    if (balancer.queue.length > 0 || !this.#hedging.withdraw()) return
    const attempt = balancer.pick(this.#exchange)
    if (typeof attempt !== 'object' || !this.#maySend(attempt)) return this.#hedging.refund()
    this.#isSpent = true
    this.beside = attempt
    attempt.hedge = true
    this.#exchange.send(attempt)
  }

  /** Neither a spare backend nor an unhealthy one, nor one that the policy refuses, is asked only because another is slow. */
  #maySend({ backend }: Attempt): boolean {
    const { set, picking } = this.#exchange.balancer
    return !set.panicking && set.available.includes(backend) && !picking.refuses(backend, this.#exchange)
  }

  /** One of the attempts has come to nothing: the other one, if it is running and may still do better. */
  after(failed: Attempt, reason: FailureReason | 'status'): Attempt | undefined {
    this.stop()
    const { beside } = this
    // Of a failure of the client, both die.
    if (beside === undefined || (reason !== 'status' && failures[reason].blame === 'client')) return undefined
    this.beside = undefined
    return failed === beside ? this.#first : beside
  }

  /** One of the attempts has responded, and its response is passed on. */
  won(winner: Attempt): void {
    this.stop()
    this.#hedging.measure(winner.respondedAt - this.sentAt)
    const { beside } = this
    if (beside === undefined) return
    this.beside = undefined
    const loser = winner === beside ? this.#first! : beside
    loser.cancel('hedge-lost')
  }

  /** No attempt is sent beside another any more. */
  stop(): void {
    this.#hedging.leave(this)
  }
}

/** The hedging of this request; undefined if it must not run at two backends. */
export function hedgeOf(exchange: Hedged, out: Outgoing, hedging: Hedging): Hedge | undefined {
  if (!mayHedge(out, exchange)) return undefined
  hedging.deposit()
  return new Hedge(exchange, hedging)
}
