import type { Attempt, AttemptOwner } from '../attempt/attempt.ts'
import type { Balancer } from '../balancer.ts'
import type { RetryBudget } from '../attempt/retry-budget.ts'
import { idempotentMethods, type RetryOptions } from '../attempt/retry-options.ts'
import { failures, type FailureReason } from '../failure.ts'
import type { StatusName } from '../grpc/status-code.ts'
import { failureStatus } from '../grpc/failure-status.ts'
import { RecordedBody } from '../request/recorded-body.ts'
import type { Outgoing } from '../request/outgoing-request.ts'

/**
 * Requests that were never sent go on to the next backend without a budget, since nothing is sent twice; but at most
 * this many times, or one request would try every backend of a dead fleet.
 */
export const maxRedirects = 10

/** What of a request its retries look at; a body that has been recorded is put in place of the one that was streamed. */
export type Repeated = Pick<Outgoing, 'method' | 'body' | 'upgrade'>

/** The facts that decide whether another attempt may follow. */
export interface RetryQuestion {
  readonly reason: FailureReason | 'status'
  /** Part of the request was sent: the backend may have processed it. */
  readonly started: boolean
  readonly method: string
  /** Its gRPC status is one of `grpc`: the method does not matter. */
  readonly listed?: boolean
  /** No body, or one that is completely in memory. */
  readonly replayable: boolean
  /**
   * Attempts so far. `resent` of them repeated a request that may have been processed. An attempt that only replaced a
   * closed kept connection is not counted there, but sets `renewed`.
   */
  readonly attempts: number
  readonly resent: number
  readonly renewed: boolean
  readonly now: number
}

/**
 * True if another attempt repeats nothing that a backend can have processed; it needs no budget. The request was never
 * sent, or only on a kept connection that had been closed. The latter is not certain, so it is done once, and only for
 * idempotent methods.
 */
export function isFree(
  { reason, started, method, replayable, renewed }: RetryQuestion,
  options: RetryOptions,
): boolean {
  if (!started) return true
  if (reason === 'status' || failures[reason].retry !== 'fresh-connection') return false
  return !renewed && replayable && options.attempts > 0 && idempotentMethods.has(method)
}

/**
 * May it be retried? Never sent: with any method, on another backend. Not received because its kept connection was
 * closed: once, with any idempotent method. Sent: only methods of `methods`, or gRPC statuses of `grpc`, within `attempts` and the budget, and only
 * if the body can be sent again. Never after the response to the client has begun.
 */
export function mayRetry(question: RetryQuestion, options: RetryOptions, budget: RetryBudget): boolean {
  const { reason, method, listed = false, replayable, attempts, resent, now } = question
  if (reason !== 'status' && failures[reason].retry === 'never') return false
  if (isFree(question, options)) return attempts <= maxRedirects
  return replayable && resent < options.attempts && (listed || options.methods.includes(method)) && budget.withdraw(now)
}

function isIn(listed: readonly StatusName[], status: StatusName | undefined): boolean {
  return status !== undefined && listed.includes(status)
}

/**
 * May a response of this status be discarded, and the request be retried? Of calls of gRPC, only those that fail without
 * a header before (trailers-only). A backend that names a time to wait is not asked again, nor another in its place: the
 * client is told, and may wait (gRPC A6).
 */
export function isListed({ status, grpcStatus, headers }: Attempt, { statuses, grpc }: RetryOptions): boolean {
  if (statuses.length > 0 && statuses.includes(status)) return true
  if (!isIn(grpc, grpcStatus)) return false
  const { 'grpc-retry-pushback-ms': pushback = '0' } = headers
  return pushback === '0'
}

/** A failure here is for the client what its gRPC status says. */
function isGrpcListed(reason: FailureReason | 'status', { exchange, grpcStatus }: Attempt, grpc: RetryOptions['grpc']) {
  if (exchange.call?.form !== 'grpc') return false
  return isIn(grpc, reason === 'status' ? grpcStatus : failureStatus(reason))
}

/** The exchange. */
interface Retried extends AttemptOwner {
  readonly options: { readonly retry: RetryOptions }
  readonly balancer: Pick<Balancer, 'budget' | 'closing' | 'picking' | 'pick' | 'random' | 'set'>
  /** Goes on with what was picked for it. */
  proceed(picked: Picked): void
}

type Picked = Attempt | 'saturated' | 'none'

/** No wait is longer than so many times `retry.delay`, as in Envoy. */
const longestDelay = 10

/** The wait before a retry, which repeats the request for the `turn`th time, at random below its limit (ms). */
function delayOf(delay: number, turn: number, random: () => number): number {
  return delay === 0 ? 0 : random() * delay * Math.min(2 ** turn - 1, longestDelay)
}

/** The retries of one exchange. Created only when an attempt has failed. */
export class Retries {
  readonly #exchange: Retried
  #resent = 0
  #renewed = false
  #asked: RetryQuestion | undefined
  /** The next attempt is within the budget, and one of `attempts`. */
  #isPaid = false
  #timer: unknown
  /** A kept connection turned out to be closed: the next attempt uses a new one, as there is one such retry. */
  distrusting = false

  constructor(exchange: Retried) {
    this.#exchange = exchange
  }

  /**
   * Another attempt after this one, or why there is none now; undefined if none may follow. Otherwise call `decided` with
   * whether one does.
   */
  after(failed: Attempt, reason: FailureReason | 'status', out: Repeated): Picked | undefined {
    const { balancer, options } = this.#exchange
    // When the app closes, requests at all backends are aborted.
    if (reason === 'drain-deadline' && balancer.closing) return undefined
    if (!this.#may(failed, reason, out)) return undefined
    this.#isPaid = !isFree(this.#asked!, options.retry)
    const next = this.#next(failed, reason)
    const isAgain = typeof next === 'object' && next.backend === failed.backend
    return isAgain && !this.#asked!.started && !this.#pays() ? 'none' : next
  }

  /** What was never sent is sent to the same backend again only after a wait: at once, it would only fail again. */
  #pays(): boolean {
    const { balancer, options, clock } = this.#exchange
    const { attempts, delay } = options.retry
    this.#isPaid = delay > 0 && this.#resent < attempts && balancer.budget.withdraw(clock.now())
    return this.#isPaid
  }

  #next(failed: Attempt, reason: FailureReason | 'status'): Picked {
    const exchange = this.#exchange
    const { picking } = exchange.balancer
    const isStale = reason === 'stale-connection' && picking.keeps(failed.backend, exchange)
    const again = isStale ? picking.at(failed.backend, exchange) : 'none'
    if (typeof again === 'object') return again
    const picked = exchange.balancer.pick(exchange)
    if (picked !== 'none' || !this.#isOnlyOne(failed, reason)) return picked
    const place = picking.at(failed.backend, exchange)
    // It must not wait for a place: it was there before, and so would not be given one.
    return place === 'saturated' ? 'none' : place
  }

  /** Is there no other backend, and may this one do better the next time? It is asked as often on a kept connection as on a new one. */
  #isOnlyOne({ backend }: Attempt, reason: FailureReason | 'status'): boolean {
    const { balancer, options } = this.#exchange
    const { available } = balancer.set
    const isPassing = reason === 'status' || failures[reason].retry === 'anywhere'
    const { resent, renewed } = this.#asked!
    const hasTurn = resent + Number(renewed) < options.retry.attempts
    return isPassing && hasTurn && available.length === 1 && available[0] === backend
  }

  #may(failed: Attempt, reason: FailureReason | 'status', out: Repeated): boolean {
    if (out.body instanceof RecordedBody) out.body = out.body.whole ?? out.body
    const { method, body, upgrade } = out
    const { options, balancer } = this.#exchange
    const { started, exchange } = failed
    // A backend that has switched, although its 101 was lost, has begun something.
    const replayable = upgrade === undefined && (body === null || Buffer.isBuffer(body))
    // The backend ends the handshake with it: what was sent after our part of that is not read (RFC 8446 §4.4.2.4).
    const isUnread = reason === 'tls-client-certificate-refused' && replayable
    const question: RetryQuestion = {
      reason,
      started: started && !isUnread,
      method,
      listed: isGrpcListed(reason, failed, options.retry.grpc),
      replayable,
      attempts: exchange.attempts.length,
      resent: this.#resent,
      renewed: this.#renewed,
      now: exchange.clock.now(),
    }
    this.#asked = question
    this.distrusting ||= reason === 'stale-connection'
    return mayRetry(question, options.retry, balancer.budget)
  }

  decided(goesOn: boolean): void {
    const question = this.#asked!
    const { balancer } = this.#exchange
    if (!this.#isPaid) this.#renewed ||= question.started
    else if (goesOn) this.#resent++
    else balancer.budget.refund(question.now)
  }

  /** Goes on with the next attempt: at once, or if it repeats something after a wait, and then with what is picked by then. */
  proceed(next: Attempt, failed: Attempt, reason: FailureReason | 'status'): void {
    const exchange = this.#exchange
    const { balancer, clock, options } = exchange
    const wait = this.#isPaid ? delayOf(options.retry.delay, this.#resent, balancer.random) : 0
    if (wait === 0) exchange.proceed(next)
    else this.#timer = clock.setTimeout(() => exchange.proceed(this.#next(failed, reason)), wait)
  }

  /** No attempt follows any more. */
  stop(): void {
    if (this.#timer !== undefined) this.#exchange.clock.clearTimeout(this.#timer)
  }
}
