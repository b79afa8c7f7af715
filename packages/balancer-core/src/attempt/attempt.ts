// Room `attempt`: one try of one exchange at one backend, what is known of it, and how many tries there may be.
import type { FastifyRequest } from 'fastify'
import type { Dispatcher } from 'undici'
import { withHeader, type AttemptRequest } from './attempt-headers.ts'
import { AttemptRecord } from './attempt-record.ts'
import type { Backend } from '../backends/backend.ts'
import type { Clock } from '../clock.ts'
import { classify, failures, type Blame, type FailureReason, type Outcome } from '../failure.ts'
import type { PickRequest } from '../picking/policy.ts'
import type { ConnectionAware, RequestPool, CarryingConnection } from '../connections/request-pool.ts'
import type { IncomingFields } from '../headers/fields.ts'
import type { TimeLimitSweep, Swept } from './time-limit-sweep.ts'

/** What hooks, channels and the log see of an exchange: one client request on its way through. */
export interface ExchangeView extends PickRequest {
  readonly request: FastifyRequest
  /** The name of its balancer. */
  readonly balancerName: string
  /** On the clock, in ms; `endedAt` is 0 until it has ended. */
  readonly startedAt: number
  readonly endedAt: number
  /** The status that the client was sent; 0 if none was. */
  readonly status: number
  /** Every attempt so far, in order. */
  readonly attempts: readonly Attempt[]
  /** How it ended; undefined while that is open. */
  readonly outcome: Outcome | undefined
  /** Whose fault its failure is; undefined if it did not fail. */
  readonly blame: Blame | undefined
  readonly error: unknown
}

/** Whose attempt it is: the exchange is told what happens, and decides what follows. */
export interface AttemptOwner extends ExchangeView {
  readonly clock: Clock
  readonly counts: AttemptCounter
  /** What went wrong on this side, if an attempt has just failed because of that. */
  readonly ownFailure: FailureReason | undefined
  onSending(): void
  /** Which limit applies now, in ms (0 = none), and for what it fails. */
  limitOf(attempt: Attempt): { readonly limit: number; readonly reason: FailureReason }
  onInformation(status: number, headers: IncomingFields): void
  onResponse(attempt: Attempt, controller: Dispatcher.DispatchController, headers: IncomingFields): void
  onData(chunk: Buffer): void
  onComplete(trailers: IncomingFields): void
  onFailure(attempt: Attempt, reason: FailureReason, error: unknown): void
}

/** Who keeps count: the balancer, which tells its hooks. Start and end come in pairs, whatever happens between. */
export interface AttemptCounter {
  readonly sweep: TimeLimitSweep
  attemptStarted(attempt: Attempt): void
  attemptResponded(attempt: Attempt): void
  attemptEnded(attempt: Attempt, outcome: Outcome): void
}

/** More of an unwanted response is not read just to keep its connection. */
const maxDiscarded = 65_536

/**
 * One try of one exchange at one backend: the handler that undici calls. The way of a plain GET goes through here with no
 * promise, stream wrapper, AbortController or closure; this object is all there is.
 */
export class Attempt extends AttemptRecord implements Dispatcher.DispatchHandler, ConnectionAware, Swept {
  readonly exchange: AttemptOwner
  connection: CarryingConnection | undefined
  refused = false
  controller: Dispatcher.DispatchController | undefined
  previousSwept: Swept | undefined
  nextSwept: Swept | undefined
  #movedAt = 0
  #cancelled: FailureReason | undefined
  #discarding = false
  #dispatching = false
  /** Set only while its start is told: see `setHeader`. */
  #request: AttemptRequest | undefined

  constructor(exchange: AttemptOwner, backend: Backend, number: number, lastResort = false) {
    super(backend, number, lastResort)
    this.exchange = exchange
  }

  /** Counts the attempt in and hands it to undici, which may answer before this returns. */
  start(pool: RequestPool, request: AttemptRequest): void {
    const { exchange } = this
    this.startedAt = exchange.clock.now()
    this.#request = request
    exchange.counts.attemptStarted(this)
    this.#request = undefined
    this.#dispatching = true
    pool.dispatch(request, this)
    this.#dispatching = false
  }

  /**
   * Sets a header field of this attempt's request alone, in place of all of that name; `undefined` leaves it out. Only while
   * its start is told, by `onAttemptStart` or its channel. @throws Error later; TypeError for what cannot be sent
   */
  setHeader(name: string, value: string | undefined): void {
    if (this.#request === undefined) throw new Error(`'${name}' can be set only while the attempt starts`)
    this.#request.headers = withHeader(this.#request.headers, name, value)
  }

  /**
   * Ends it for a reason of ours; that the whole request has taken too long may be the backend's fault. Before undici has a connection for it, it keeps its place until that is
   * decided.
   */
  cancel(reason: FailureReason): void {
    if (this.outcome !== undefined || this.#cancelled !== undefined) return
    this.#cancelled = reason === 'request-timeout' && this.#wasSlow() ? 'headers-timeout' : reason
    this.controller?.abort(new Error(failures[reason].message))
  }

  /** Most of the time that the exchange has had so far, the backend had the whole request, and did not answer. */
  #wasSlow(): boolean {
    const { started, status, askedAt, exchange } = this
    if (!started || status !== 0 || askedAt === undefined) return false
    return exchange.clock.now() - askedAt >= askedAt - exchange.startedAt
  }

  /** Something moved: the limit begins anew. */
  moved(): void {
    this.#movedAt = this.exchange.counts.sweep.tick
  }

  onSweep(): void {
    // While it connects, undici's own limit holds.
    if (!this.started) return
    const { limit, reason } = this.exchange.limitOf(this)
    if (limit > 0 && this.exchange.counts.sweep.since(this.#movedAt) >= limit) this.cancel(reason)
  }

  /** The response is not wanted: it is read to its end if it is short, so that the connection can be kept. */
  discard(): void {
    this.#discarding = true
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.#cancelled !== undefined) {
      controller.abort(new Error(failures[this.#cancelled].message))
      return
    }
    this.started = true
    this.sentAt = this.exchange.clock.now()
    this.moved()
    const { connection } = this
    if (connection !== undefined) {
      this.reused = !connection.fresh
      connection.fresh = false
    }
    this.exchange.onSending()
  }

  onBodySent(chunk: Uint8Array | string): void {
    this.bytesSent += chunk.length
    this.backend.bytesSent += chunk.length
    this.moved()
  }

  onRequestSent(): void {
    this.uploaded = true
    if (this.bytesSent > 0) this.uploadedAt = this.exchange.clock.now()
    this.moved()
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) {
      this.exchange.onInformation(status, headers)
      return
    }
    const { exchange } = this
    this.status = status
    this.headers = headers
    this.respondedAt = exchange.clock.now()
    this.moved()
    const coding = headers['transfer-encoding']
    // Any other coding than chunked would have to be undone here, for the next connection knows nothing of it.
    if (status > 599 || (coding !== undefined && String(coding).toLowerCase() !== 'chunked')) {
      this.cancel('bad-response')
      return
    }
    exchange.counts.attemptResponded(this)
    exchange.onResponse(this, controller, headers)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.moved()
    this.bytesReceived += chunk.length
    this.backend.bytesReceived += chunk.length
    if (!this.#discarding) this.exchange.onData(chunk)
    else if (this.bytesReceived > maxDiscarded) controller.abort(new Error('enough of a response that is not wanted'))
  }

  onResponseEnd(
    _controller: Dispatcher.DispatchController,
    trailers: Record<string, string | string[] | undefined>,
  ): void {
    this.#settle('ok', undefined)
    if (!this.#discarding) this.exchange.onComplete(trailers)
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: unknown): void {
    if (this.outcome !== undefined) return
    // Cut short by us: what it had to say, its status has said.
    if (this.#discarding && this.bytesReceived > maxDiscarded) {
      this.#settle('ok', undefined)
      return
    }
    // Refused while it was being handed over: the Pool must not mistake that for a busy connection (see pool.ts).
    if (this.#dispatching && !this.started) this.refused = true
    const reason =
      this.#cancelled ??
      this.exchange.ownFailure ??
      classify(error, {
        started: this.started,
        responded: this.status !== 0,
        reused: this.reused,
      })
    this.#settle(reason, error)
    if (!this.#discarding) this.exchange.onFailure(this, reason, error)
  }

  #settle(outcome: Outcome, error: unknown): void {
    const { exchange } = this
    this.outcome = outcome
    this.error = error
    this.endedAt = exchange.clock.now()
    exchange.counts.attemptEnded(this, outcome)
  }
}
