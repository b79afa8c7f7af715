// Room `history`: what has been, kept by this process: figures of the last days in steps, and the last failed requests.
import type { Attempt, Balancer, ExchangeView, Outcome } from '@fastify-balancer/balancer-core'
import { BackendSeries } from './backend-series.ts'
import { FailedRequests } from './failed-requests.ts'
import { resolutions } from './resolutions.ts'
import { backendWidth, column, Series } from './series.ts'
import { Steps } from './steps.ts'
import type { EndListener } from './traffic-watch.ts'

/** The columns of a balancer, after those that backends have too. Percentiles in µs. */
export const balancerColumn = {
  ...column,
  retries: backendWidth,
  p50: backendWidth + 1,
  p99: backendWidth + 2,
  waiting: backendWidth + 3,
  refused: backendWidth + 4,
  shed: backendWidth + 5,
} as const

const balancerWidth = backendWidth + 6

/** Refused by the queue. */
const refusals: ReadonlySet<Outcome | undefined> = new Set<Outcome>(['queue-full', 'queue-shed', 'queue-timeout'])

/**
 * Records the traffic of one balancer, in constant memory: a request adds to some numbers and allocates nothing. Counts go
 * to the step in which a request or an attempt has ended.
 */
export class Recorder implements EndListener {
  readonly balancer: Balancer
  readonly steps = resolutions.map((one) => new Steps(one))
  readonly own = new Series(balancerWidth)
  readonly backends: BackendSeries
  readonly failures: FailedRequests
  /** Since when this process has recorded (ms since the epoch). */
  readonly since: number
  readonly #wallClock: () => number
  readonly #shed: () => number
  #shedBefore: number
  /** Where the steps that are being measured have their rows. */
  readonly #places: number[]
  /** The finest step that is being measured, in ms since the epoch. */
  #from = 0
  #until = 0
  #timer: unknown

  /**
   * `wallClock` is the time in ms since the epoch; `shed` tells how many requests this process has shed so far, before
   * they got to a balancer.
   */
  constructor(balancer: Balancer, wallClock: () => number, shed: () => number) {
    this.balancer = balancer
    this.#shed = shed
    this.#shedBefore = shed()
    this.backends = new BackendSeries(balancer)
    this.failures = new FailedRequests(wallClock)
    this.#wallClock = wallClock
    this.since = wallClock()
    this.#places = resolutions.map(() => 0)
    this.#begin(this.since)
    this.#wait()
  }

  exchangeEnded(exchange: ExchangeView, endedAt: number): void {
    this.follow()
    const { failed, status, outcome, startedAt, retries } = exchange
    this.own.count(this.#places, failed, status, endedAt - startedAt)
    if (retries > 0) this.own.add(this.#places, balancerColumn.retries, retries)
    if (refusals.has(outcome)) this.own.add(this.#places, balancerColumn.refused, 1)
    if (failed) this.failures.add(exchange, endedAt)
  }

  attemptEnded({ backend, failed, status, startedAt, respondedAt }: Attempt): void {
    this.follow()
    const duration = respondedAt === 0 ? -1 : respondedAt - startedAt
    this.backends.of(backend)?.count(this.#places, failed, status, duration)
  }

  /** Ends the steps that are over. Returns the time (ms since the epoch). */
  follow(): number {
    const now = this.#wallClock()
    // A clock that is set back by less than a step only makes that step longer.
    if (now >= this.#until || now < this.#from - resolutions[0].step) this.#turn(now)
    return now
  }

  /** Adds what this process has shed since the last call to the steps that are being measured. */
  countShed(): void {
    const total = this.#shed()
    if (total > this.#shedBefore) this.own.add(this.#places, balancerColumn.shed, total - this.#shedBefore)
    this.#shedBefore = total
  }

  stop(): void {
    this.balancer.clock.clearTimeout(this.#timer)
  }

  /** Looks at the end of each step: how many are in flight then, and whether this process has been running. */
  #wait(): void {
    this.#timer = this.balancer.clock.setTimeout(() => {
      this.follow()
      this.#wait()
    }, this.#until - this.#wallClock())
  }

  #turn(now: number): void {
    this.countShed()
    const coarsest = this.steps.at(-1)!
    this.backends.look(coarsest.current, coarsest.count)
    for (const [resolution, steps] of this.steps.entries())
      if (steps.of(now) !== steps.current) this.#close(resolution, steps.place)
    this.#begin(now)
  }

  #begin(now: number): void {
    for (const [resolution, steps] of this.steps.entries()) {
      const step = steps.of(now)
      if (step === steps.current) continue
      steps.open(step)
      const { place } = steps
      this.#places[resolution] = place
      this.own.open(resolution, place)
      for (const [, series] of this.backends) series.open(resolution, place)
    }
    const [{ current, length }] = this.steps as [Steps]
    this.#from = current * length
    this.#until = this.#from + length
  }

  #close(resolution: number, place: number): void {
    const { own, balancer } = this
    const { exchanges, tunnels, queue } = balancer
    own.set(resolution, place, balancerColumn.inFlight, exchanges - tunnels.size)
    own.set(resolution, place, balancerColumn.waiting, queue.length)
    for (const [which, share] of [
      [balancerColumn.p50, 0.5],
      [balancerColumn.p95, 0.95],
      [balancerColumn.p99, 0.99],
    ] as const)
      own.set(resolution, place, which, own.percentile(resolution, share))
    this.backends.close(resolution, place)
  }
}
