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
  readonly balancer: Pick<Balancer, 'budget' | 'closing' | 'picking' | 'pick'>
}

/** The retries of one exchange. Created only when an attempt has failed. */
export class Retries {
  readonly #exchange: Retried
  #resent = 0
  #renewed = false
  #asked: RetryQuestion | undefined
  /** A kept connection turned out to be closed: the next attempt uses a new one, as there is one such retry. */
  distrusting = false

  constructor(exchange: Retried) {
    this.#exchange = exchange
  }

  /**
   * Another attempt after this one, or why there is none now; undefined if none may follow. Otherwise call `decided` with
   * whether one does.
   */
  after(failed: Attempt, reason: FailureReason | 'status', out: Outgoing): Attempt | 'saturated' | 'none' | undefined {
    const exchange = this.#exchange
    const { balancer } = exchange
    // When the app closes, requests at all backends are aborted.
    if (reason === 'drain-deadline' && balancer.closing) return undefined
    if (!this.#may(failed, reason, out)) return undefined
    const isStale = reason === 'stale-connection' && balancer.picking.keeps(failed.backend, exchange)
    const again = isStale ? balancer.picking.at(failed.backend, exchange) : 'none'
    return typeof again === 'object' ? again : balancer.pick(exchange)
  }

  #may(failed: Attempt, reason: FailureReason | 'status', out: Outgoing): boolean {
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
    const { options, balancer } = this.#exchange
    if (isFree(question, options.retry)) this.#renewed ||= question.started
    else if (goesOn) this.#resent++
    else balancer.budget.refund(question.now)
  }
}
