import type { RetryBudget } from '../attempt/retry-budget.ts'
import type { RetryOptions } from '../attempt/retry-options.ts'
import { failures, type FailureReason } from '../failure.ts'

/**
 * Never-sent requests go on to the next backend without a budget, since nothing is sent twice; but not to more than so
 * many, or one request to a dead fleet would knock on every door of it.
 */
export const maxRedirects = 10

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
   * connection in place of a closed one is not among those.
   */
  readonly attempts: number
  readonly resent: number
  readonly now: number
}

/**
 * May it be tried again? Never sent: with any method, elsewhere. Sent: only what is idempotent (RFC 9110 §9.2.2) by
 * `methods`, can be repeated, and fits `attempts` and the budget. Nothing follows once the client has been answered.
 */
export function mayRetry(question: RetryQuestion, options: RetryOptions, budget: RetryBudget): boolean {
  const { reason, started, method, replayable, attempts, resent, now } = question
  if (reason !== 'status' && failures[reason].retry === 'never') return false
  if (!started) return attempts <= maxRedirects
  return replayable && resent < options.attempts && options.methods.includes(method) && budget.withdraw(now)
}
