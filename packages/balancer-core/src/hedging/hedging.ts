// Room `hedging`: a second attempt of a request whose first is slow, sent beside it.
import { RetryBudget } from '../attempt/retry-budget.ts'
import type { Clock } from '../clock.ts'
import type { HedgeOptions } from './hedge-options.ts'
import { RecentDurations } from './recent-durations.ts'

/** A request that may become slow: a linked list, so that leaving from the middle is O(1). */
export interface Watched {
  previousWatched: Watched | undefined
  nextWatched: Watched | undefined
  watched: boolean
  /** When it was sent, on the clock in ms. */
  sentAt: number
  /** It is slow. It is watched no longer. */
  onSlow(): void
}

/** The percentile is known once this many recent requests may have been slower. */
const fewestSlower = 5

/**
 * What the requests of one balancer share for hedging: how long responses take, the budget, and one timer. The delay is
 * the same for all that wait, so they become slow in the order in which they were sent: only the first needs a timer, and
 * that one is not cancelled when its response arrives, which it nearly always does. (Finagle's BackupRequestFilter: a
 * percentile of recent latencies, at least 1 ms, within a budget without a floor.)
 */
export class Hedging {
  #options: HedgeOptions
  readonly #clock: Clock
  readonly #budget: RetryBudget
  readonly #durations = new RecentDurations()
  #first: Watched | undefined
  #last: Watched | undefined
  #timer: unknown

  constructor(clock: Clock, options: HedgeOptions) {
    this.#clock = clock
    this.#options = options
    this.#budget = new RetryBudget(options.budget)
  }

  /** Goes by these from now on; what has been measured and counted stays. */
  configure(options: HedgeOptions): void {
    this.#options = options
    this.#budget.configure(options.budget)
  }

  /** After how many ms a request is slow; undefined as long as too few have been measured. */
  get delay(): number | undefined {
    const { percentile, minDelay } = this.#options
    const now = this.#clock.now()
    if (!this.#isKnownAt(now)) return undefined
    return Math.max(this.#durations.quantile(percentile / 100, now), minDelay)
  }

  /** A request that may be hedged has come. */
  deposit(): void {
    this.#budget.deposit(this.#clock.now())
  }

  /** Takes one second attempt, if the budget allows it. */
  withdraw(): boolean {
    return this.#budget.withdraw(this.#clock.now())
  }

  /** Gives it back: there was no backend for it. */
  refund(): void {
    this.#budget.refund(this.#clock.now())
  }

  /** From when a request was sent until the first response to it: `duration` ms. */
  measure(duration: number): void {
    this.#durations.add(duration, this.#clock.now())
  }

  /** Watches one that has just been sent. */
  watch(request: Watched): void {
    if (!this.#isKnownAt(request.sentAt)) return
    request.previousWatched = this.#last
    request.watched = true
    if (this.#last === undefined) this.#first = request
    else this.#last.nextWatched = request
    this.#last = request
    if (this.#timer === undefined) this.#arm(request)
  }

  /** Does nothing if it is not watched. */
  leave(request: Watched): void {
    if (!request.watched) return
    const { previousWatched, nextWatched } = request
    if (previousWatched === undefined) this.#first = nextWatched
    else previousWatched.nextWatched = nextWatched
    if (nextWatched === undefined) this.#last = previousWatched
    else nextWatched.previousWatched = previousWatched
    request.previousWatched = undefined
    request.nextWatched = undefined
    request.watched = false
  }

  /** Watches none any more. */
  stop(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.#first !== undefined) this.leave(this.#first)
  }

  #isKnownAt(now: number): boolean {
    return this.#durations.countAt(now) * (100 - this.#options.percentile) >= fewestSlower * 100
  }

  #arm({ sentAt }: Watched): void {
    const left = sentAt + (this.delay ?? 0) - this.#clock.now()
    // After timers, Node reads from sockets: a response that has arrived meanwhile is not late.
    this.#timer = this.#clock.setTimeout(() => setImmediate(() => this.#look()), Math.max(Math.ceil(left), 1))
  }

  #look(): void {
    if (this.#timer === undefined) return
    this.#timer = undefined
    const { delay } = this
    // What was known is too old.
    if (delay === undefined) return this.stop()
    const sentBefore = this.#clock.now() - delay
    while (this.#first !== undefined && this.#first.sentAt <= sentBefore) {
      const request = this.#first
      this.leave(request)
      request.onSlow()
    }
    if (this.#first !== undefined && this.#timer === undefined) this.#arm(this.#first)
  }
}

/** That of a balancer with these options, where it had `current` before; undefined where it is off. */
export function hedgingWith(
  options: HedgeOptions | false,
  clock: Clock,
  current: Hedging | undefined,
): Hedging | undefined {
  if (options === false) {
    current?.stop()
    return undefined
  }
  current?.configure(options)
  return current ?? new Hedging(clock, options)
}
