// Room `traffic`: counts taken while requests pass through.
import type { Attempt, Backend, ExchangeView, StatusName, TunnelEnd } from '@fastify-balancer/balancer-core'
import { Distribution } from './distribution.ts'
import { queueWaitOf } from './queue-wait.ts'

/** Counts by gRPC status. */
export type CallCounts = Map<StatusName, number>

function count(calls: CallCounts, status: StatusName): void {
  calls.set(status, (calls.get(status) ?? 0) + 1)
}

/** Upper bounds of durations of tunnels, in seconds: from those that break at once to a day. */
const tunnelBounds = [1, 10, 60, 300, 1800, 3600, 21_600, 86_400]

/** The responses and tunnels of one backend. */
export class BackendTraffic {
  /** Ended calls by gRPC status. */
  readonly calls: CallCounts = new Map()
  /** Time to response headers. */
  readonly latency: Distribution
  /** Closed tunnels, by who closed them. */
  readonly tunnelEnds = new Map<TunnelEnd, number>()

  constructor(bounds: readonly number[]) {
    this.latency = new Distribution(bounds)
  }
}

/**
 * The traffic of one balancer, as far as the core does not count it: the only work done for each request. Keeps numbers
 * only, never an attempt or an exchange.
 */
export class Traffic {
  /** Ended calls by gRPC status. */
  readonly calls: CallCounts = new Map()
  /** Attempts beside a slow one, and how many of them responded first. */
  hedges = 0
  hedgesWon = 0
  /** Durations of whole requests, until the client had everything; of a request for a tunnel, until that was open. */
  readonly duration: Distribution
  /** Of tunnels that have closed. */
  readonly tunnelDuration = new Distribution(tunnelBounds)
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
    this.of(attempt.backend).latency.observe(attempt.respondedAt - attempt.startedAt)
  }

  /** Counts a request that has ended. One for a tunnel was counted when its tunnel was opened. */
  exchangeEnded(exchange: ExchangeView): void {
    const { tunnel, attempts, endedAt } = exchange
    if (tunnel === undefined) return this.#count(exchange, endedAt)
    const { closedBy = 'client', openedAt, closedAt } = tunnel
    const { tunnelEnds } = this.of(attempts.at(-1)!.backend)
    tunnelEnds.set(closedBy, (tunnelEnds.get(closedBy) ?? 0) + 1)
    this.tunnelDuration.observe(closedAt - openedAt)
  }

  /** A request has opened a tunnel. Its handshake alone counts as a request, which tells how fast backends are. */
  tunnelStarted(exchange: ExchangeView): void {
    this.#count(exchange, exchange.tunnel!.openedAt)
  }

  #count(exchange: ExchangeView, endedAt: number): void {
    const { attempts } = exchange
    if (exchange.grpcStatus !== undefined) this.#callEnded(exchange.grpcStatus, attempts)
    if (attempts.length > 1) this.#countHedges(exchange)
    this.duration.observe(endedAt - exchange.startedAt)
    const wait = queueWaitOf(exchange)
    if (wait !== undefined) this.queueWait.observe(wait)
  }

  #countHedges({ attempts, answeredBy }: ExchangeView): void {
    this.hedges += attempts.filter(({ hedge }) => hedge).length
    if (answeredBy?.hedge === true) this.hedgesWon++
  }

  #callEnded(status: StatusName, attempts: readonly Attempt[]): void {
    count(this.calls, status)
    for (const { backend, grpcStatus } of attempts)
      if (grpcStatus !== undefined) count(this.of(backend).calls, grpcStatus)
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
