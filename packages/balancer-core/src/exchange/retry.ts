import type { RetryBudget } from '../attempt/retry-budget.ts'
import type { RetryOptions } from '../attempt/retry-options.ts'
import { failures, type FailureReason } from '../failure.ts'

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
