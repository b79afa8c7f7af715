import type { CallWindow } from './call-window.ts'
import { spoken } from '@fastify-balancer/option-schema'
import { LatestCalls } from './latest-calls.ts'
import { RecentCalls } from './recent-calls.ts'
import type { TripRule } from './trip-rule.ts'

/** The size of the window, in calls, where none is given. (Resilience4j's default.) */
export const defaultCalls = 100

/** Settings of the rule "too many failed or slow calls". */
export interface RateRuleOptions {
  /** Window: this many latest calls, at least 1 (default 100). */
  readonly calls?: number
  /** Window: the calls of the last `time` ms; replaces `calls`. */
  readonly time?: number
  /** With fewer calls in the window it does not trip; a full window of `calls` is always enough. */
  readonly minimumCalls: number
  /** Trips at this share of failures, above 0 up to 1. */
  readonly failureShare: number
  /** Trips at this share of slow calls, above 0 up to 1. */
  readonly slowShare: number
  /** A call is slow if it takes longer than this (ms); 0 = none is. */
  readonly slowAfter: number
}

const percent = (share: number) => `${Math.round(share * 1000) / 10} %`

/**
 * Trips when the share of failures, or of slow calls, reaches a threshold. (Resilience4j's rule: the shares are of all
 * calls in the window, a slow failure counts in both, and it does not trip below the minimum number of calls.)
 */
export class Rate implements TripRule {
  readonly #window: CallWindow
  readonly #minimum: number
  readonly #options: RateRuleOptions

  constructor(options: RateRuleOptions) {
    const { calls = defaultCalls, time, minimumCalls } = options
    this.#options = options
    this.#window = time === undefined ? new LatestCalls(calls) : new RecentCalls(time)
    this.#minimum = Math.max(1, time === undefined ? Math.min(minimumCalls, calls) : minimumCalls)
  }

  record(failed: boolean, duration: number, at: number): string | undefined {
    const window = this.#window
    window.add(failed, this.isSlow(duration), at)
    const { calls } = window
    if (calls < this.#minimum) return undefined
    const { failureShare, slowShare, slowAfter } = this.#options
    if (window.failed >= failureShare * calls) return this.#reason(window.failed, 'failed')
    if (slowAfter > 0 && window.slow >= slowShare * calls)
      return this.#reason(window.slow, `took longer than ${spoken(slowAfter)}`)
    return undefined
  }

  reset(): void {
    this.#window.clear()
  }

  isSlow(duration: number): boolean {
    const { slowAfter } = this.#options
    return slowAfter > 0 && duration > slowAfter
  }

  #reason(count: number, what: string): string {
    const { calls, extent } = this.#window
    return `${count} of ${calls} calls ${what} (${percent(count / calls)} of ${extent})`
  }
}
