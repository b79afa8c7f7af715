// Room `traffic`: counts taken while requests pass through.
import type { Attempt, Backend, ExchangeView, Outcome } from '@fastify-balancer/balancer-core'
import { Distribution } from './distribution.ts'
import { queueWaitOf } from './queue-wait.ts'

/** Counts by status class: index 2 is 200–299, index 0 is no status. */
export type StatusCounts = number[]

const noStatuses = (): StatusCounts => [0, 0, 0, 0, 0, 0]

/** The responses of one backend. */
export class BackendTraffic {
  readonly statuses: StatusCounts = noStatuses()
  /** Time to response headers. */
  readonly latency: Distribution

  constructor(bounds: readonly number[]) {
    this.latency = new Distribution(bounds)
  }
}

/**
 * The traffic of one balancer, as far as the core does not count it: the only work done for each request. Keeps numbers
 * only, never an attempt or an exchange.
 */
export class Traffic {
  /** Ended requests by outcome. */
  readonly requests = new Map<Outcome, StatusCounts>()
  /** Attempts after the first of their request. */
  retries = 0
  /** Durations of whole requests, until the client had everything. */
  readonly duration: Distribution
  readonly queueWait: Distribution
  readonly #bounds: readonly number[]
  readonly #backends = new WeakMap<Backend, BackendTraffic>()
  readonly #none: BackendTraffic

  /** `bounds` of all histograms, in seconds. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#none = new BackendTraffic(bounds)
    this.duration = new Distribution(bounds)
    this.queueWait = new Distribution(bounds)
  }

  /** Counts a response whose headers have arrived. */
  attemptResponded(attempt: Attempt): void {
    const { statuses, latency } = this.of(attempt.backend)
    statuses[Math.trunc(attempt.status / 100)]!++
    latency.observe(attempt.respondedAt - attempt.startedAt)
  }

  exchangeEnded(exchange: ExchangeView): void {
    const { outcome = 'ok', attempts } = exchange
    let statuses = this.requests.get(outcome)
    if (statuses === undefined) this.requests.set(outcome, (statuses = noStatuses()))
    statuses[Math.trunc(exchange.status / 100)]!++
    if (attempts.length > 1) this.retries += attempts.length - 1
    this.duration.observe(exchange.endedAt - exchange.startedAt)
    const wait = queueWaitOf(exchange)
    if (wait !== undefined) this.queueWait.observe(wait)
  }

  /** Read-only access: allocates nothing for a backend without responses. */
  seen(backend: Backend): BackendTraffic {
    return this.#backends.get(backend) ?? this.#none
  }

  /** The responses of a backend so far. */
  of(backend: Backend): BackendTraffic {
    let traffic = this.#backends.get(backend)
    if (traffic === undefined) this.#backends.set(backend, (traffic = new BackendTraffic(this.#bounds)))
    return traffic
  }
}
