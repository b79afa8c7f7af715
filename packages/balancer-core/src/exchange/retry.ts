import type { Attempt } from '../attempt/attempt.ts'
import type { RetryBudget } from '../attempt/retry-budget.ts'
import type { RetryOptions } from '../attempt/retry-options.ts'
import { failures, type FailureReason } from '../failure.ts'
import type { Outgoing } from '../request/outgoing-request.ts'

/**
 * Never-sent requests go on to the next backend without a budget, since nothing is sent twice; but not to more than so
 * many, or one request to a dead fleet would knock on every door of it.
 */
export const maxRedirects = 10

/** What may be done twice (RFC 9110 §9.2.2), whatever the options say of repeating. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** What decides whether another attempt may follow. */
export interface RetryQuestion {
  readonly reason: FailureReason | 'status'
  /** The request had begun to be written: it may have been acted upon. */
  readonly started: boolean
  readonly method: string
  /** No body, or one that is held whole in memory. */
  readonly replayable: boolean
  /**
   * Attempts made so far, of which `resent` repeated a request that may have been acted upon; one that only took a new
   * connection in place of a closed one is not among those, and sets `renewed`.
   */
  readonly attempts: number
  readonly resent: number
  readonly renewed: boolean
  readonly now: number
}

/**
 * Would another attempt repeat nothing that a backend can have acted upon? That costs no budget: the request was never
 * sent, or only on a kept connection that had been closed. The latter nobody knows for sure, so that it holds once, and
 * for methods that may be done twice.
 */
export function isFree(
  { reason, started, method, replayable, renewed }: RetryQuestion,
  options: RetryOptions,
): boolean {
  if (!started) return true
  if (reason === 'status' || failures[reason].retry !== 'fresh-connection') return false
  return !renewed && replayable && options.attempts > 0 && idempotent.has(method)
}

/**
 * May it be tried again? Never sent: with any method, elsewhere. Not received, because its kept connection was closed:
 * with any method that is idempotent, once. Sent: only methods of `methods`, within `attempts` and the budget, and only
 * if it can be repeated. Nothing follows once the client has been answered.
 */
export function mayRetry(question: RetryQuestion, options: RetryOptions, budget: RetryBudget): boolean {
  const { reason, method, replayable, attempts, resent, now } = question
  if (reason !== 'status' && failures[reason].retry === 'never') return false
  if (isFree(question, options)) return attempts <= maxRedirects
  return replayable && resent < options.attempts && options.methods.includes(method) && budget.withdraw(now)
}

/** What one exchange has repeated so far. Made only when an attempt has failed. */
export class Retries {
  readonly #options: RetryOptions
  readonly #budget: RetryBudget
  #resent = 0
  #renewed = false
  #asked: RetryQuestion | undefined
  /** A kept connection had been closed: no other kept one is trusted, for there is one such retry. */
  distrusting = false

  constructor(options: RetryOptions, budget: RetryBudget) {
    this.#options = options
    this.#budget = budget
  }

  /** May another attempt follow this one? Then `decided` must be told whether one does. */
  may(failed: Attempt, reason: FailureReason | 'status', { method, body }: Outgoing): boolean {
    const { started, exchange } = failed
    const question: RetryQuestion = {
      reason,
      started,
      method,
      replayable: body === null || Buffer.isBuffer(body),
      attempts: exchange.attempts.length,
      resent: this.#resent,
      renewed: this.#renewed,
      now: exchange.clock.now(),
    }
    this.#asked = question
    this.distrusting ||= reason === 'stale-connection'
    return mayRetry(question, this.#options, this.#budget)
  }

  decided(goesOn: boolean): void {
    const question = this.#asked!
    if (isFree(question, this.#options)) this.#renewed ||= question.started
    else if (goesOn) this.#resent++
    else this.#budget.refund(question.now)
  }
}
