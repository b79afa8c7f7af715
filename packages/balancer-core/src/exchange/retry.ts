import { Type, type Static } from '@sinclair/typebox'
import { failures, type FailureReason } from '../failure.ts'
import { strict } from '@fastify-balancer/option-schema'

export const RetryOptions = Type.Object(
  {
    attempts: Type.Integer({
      minimum: 0,
      maximum: 10,
      default: 1,
      description: 'Further attempts after one that the backend may have acted upon',
    }),
    methods: Type.Array(Type.String(), {
      default: ['GET', 'HEAD', 'OPTIONS'],
      description: 'Methods that may be repeated',
    }),
    statuses: Type.Array(Type.Integer({ minimum: 400, maximum: 599 }), {
      default: [],
      description: 'Response statuses that count as worth another attempt',
    }),
    budget: Type.Object(
      {
        ratio: Type.Number({
          minimum: 0,
          maximum: 1,
          default: 0.2,
          description: 'Retries allowed as a share of the requests of the last 10 s',
        }),
        floor: Type.Number({ minimum: 0, default: 10, description: 'Retries allowed each second in any case' }),
      },
      { ...strict, default: {} },
    ),
  },
  { ...strict, default: {} },
)
/** Which requests are tried again. */
export type RetryOptions = Static<typeof RetryOptions>

const windowSeconds = 10

/**
 * Never-sent requests go on to the next backend without a budget, since nothing is sent twice; but not to more than so
 * many, or one request to a dead fleet would knock on every door of it.
 */
export const maxRedirects = 10

/**
 * How many retries the recent traffic allows: a share of the requests of the last 10 s, and a floor for each second.
 * (Finagle's RetryBudget, in tower's form of one slot a second: 20 % and 10/s.)
 */
export class RetryBudget {
  readonly #ratio: number
  readonly #floor: number
  // Counted in whole requests: sums of parts would drift.
  readonly #requests = Array.from({ length: windowSeconds }, () => 0)
  readonly #retries = Array.from({ length: windowSeconds }, () => 0)
  #second = 0

  constructor({ ratio, floor }: { ratio: number; floor: number }) {
    this.#ratio = ratio
    this.#floor = floor
  }

  /** The slot of the second that `now` lies in; those that have passed out of the window are emptied. */
  #slot(now: number): number {
    const second = Math.floor(now / 1000)
    for (let passed = Math.min(second - this.#second, windowSeconds); passed > 0; passed--) {
      const slot = (second - passed + 1) % windowSeconds
      this.#requests[slot] = 0
      this.#retries[slot] = 0
    }
    if (second > this.#second) this.#second = second
    return this.#second % windowSeconds
  }

  /** A first attempt was made at `now` (ms). */
  deposit(now: number): void {
    this.#requests[this.#slot(now)]! += 1
  }

  /** Takes one retry out, if there is one. */
  withdraw(now: number): boolean {
    const slot = this.#slot(now)
    const allowed = this.#ratio * sum(this.#requests) + this.#floor * windowSeconds
    // 0.1 times 30 is a little more than 3, and 0.29 times 100 a little less than 29.
    if (sum(this.#retries) + 1 > allowed + 1e-9) return false
    this.#retries[slot]! += 1
    return true
  }

  /** Puts back what was taken at `now`: there was no backend to try. */
  refund(now: number): void {
    this.#retries[this.#slot(now)]! -= 1
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}

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
