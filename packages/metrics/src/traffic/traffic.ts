// Room `traffic`: what is counted while requests pass.
import type { Attempt, Backend, ExchangeView, Outcome } from '@fastify-balancer/balancer-core'
import { Distribution } from './distribution.ts'
import { queueWaitOf } from './queue-wait.ts'

/** Counts by the class of a status: at 2 those with 200–299, at 0 those without any. */
export type StatusCounts = number[]

const noStatuses = (): StatusCounts => [0, 0, 0, 0, 0, 0]

/** What one backend has answered. */
export class BackendTraffic {
  readonly statuses: StatusCounts = noStatuses()
  /** Time to response headers. */
  readonly latency: Distribution

  constructor(bounds: readonly number[]) {
    this.latency = new Distribution(bounds)
  }
}

/**
 * What has gone through one balancer, as far as nobody else keeps count: the only work that is done for each request.
 * It keeps figures, never an attempt or an exchange.
 */
export class Traffic {
  /** Exchanges that have ended. */
  readonly requests = new Map<Outcome, StatusCounts>()
  /** Attempts after the first of their exchange. */
  retries = 0
  /** Of whole exchanges, until the client had everything. */
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

  /** Its response headers have arrived. */
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

  /** The same to be read alone; of thousands that have never answered, it makes nothing. */
  seen(backend: Backend): BackendTraffic {
    return this.#backends.get(backend) ?? this.#none
  }

  /** What a backend has answered so far. */
  of(backend: Backend): BackendTraffic {
    let traffic = this.#backends.get(backend)
    if (traffic === undefined) this.#backends.set(backend, (traffic = new BackendTraffic(this.#bounds)))
    return traffic
  }
}
