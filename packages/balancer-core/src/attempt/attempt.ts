// Room `attempt`: one attempt of one exchange at one backend: its state, its time limits, and how many there may be.
import type { FastifyRequest } from 'fastify'
import type { Dispatcher } from 'undici'
import { withHeader, type AttemptRequest } from './attempt-headers.ts'
import { AttemptRecord } from './attempt-record.ts'
import type { Backend } from '../backends/backend.ts'
import type { Clock } from '../clock.ts'
import { classify, failures, type Blame, type FailureReason, type Outcome } from '../failure.ts'
import type { PickRequest } from '../picking/policy.ts'
import type { RemoteCall } from '../grpc/remote-call.ts'
import type { ConnectionAware, RequestPool } from '../connections/request-pool.ts'
import type { IncomingFields } from '../headers/fields.ts'
import { isEncoded } from '../headers/hop-by-hop.ts'
import type { TimeLimitSweep, Swept } from './time-limit-sweep.ts'

/** What hooks, channels and the log see of an exchange: one client request on its way through. */
export interface ExchangeView extends PickRequest {
  readonly request: FastifyRequest
  /** The name of its balancer. */
  readonly balancerName: string
  /** On the clock, in ms; `endedAt` is 0 until it has ended. */
  readonly startedAt: number
  readonly endedAt: number
  /** The status that was sent to the client; 0 if none was. */
  readonly status: number
  /** The gRPC status that the client was told; undefined if it is no call of gRPC, or the status is not seen. */
  readonly grpcStatus: AttemptRecord['grpcStatus']
  /** Every attempt so far, in order. */
  readonly attempts: readonly Attempt[]
  /** How it ended; undefined before that. */
  readonly outcome: Outcome | undefined
  /** Whose fault its failure is; undefined if it did not fail. */
  readonly blame: Blame | undefined
  readonly error: unknown
}

/** Owner of an attempt: the exchange, which is told what happens and decides what follows. */
export interface AttemptOwner extends ExchangeView {
  readonly clock: Clock
  readonly counts: AttemptCounter
  /** Undefined for all but gRPC, gRPC-Web and Connect. */
  readonly call: RemoteCall | undefined
  /** The failure on the client's side, if that made the attempt fail. */
  readonly ownFailure: FailureReason | undefined
  onSending(): void
  /** Which time limit applies now, in ms (0 = none), and the failure when it is exceeded. */
  limitOf(attempt: Attempt): { readonly limit: number; readonly reason: FailureReason }
  onInformation(status: number, headers: IncomingFields): void
  onResponse(attempt: Attempt, controller: Dispatcher.DispatchController, headers: IncomingFields): void
  onData(chunk: Buffer): void
  onBorrowed(chunk: Buffer): boolean
  onComplete(trailers: IncomingFields): void
  onFailure(attempt: Attempt, reason: FailureReason, error: unknown): void
}

/** Counts attempts and calls the balancer's hooks. Each start is followed by exactly one end. */
export interface AttemptCounter {
  readonly sweep: TimeLimitSweep
  attemptStarted(attempt: Attempt): void
  attemptResponded(attempt: Attempt): void
  attemptEnded(attempt: Attempt, outcome: Outcome): void
}

/** An unwanted response is read only up to these limits to keep its connection: bytes, and ms. */
const mostDiscarded = { bytes: 65_536, limit: 1000, reason: 'body-timeout' } as const

/**
 * One attempt of one exchange at one backend: undici's handler. A plain GET needs no promise, stream or closure here.
 */
export class Attempt extends AttemptRecord implements ConnectionAware, Swept {
  readonly exchange: AttemptOwner
  /** A mark of the sweep; -1 until it is looked at for the first time. */
  #movedAt = -1
  #cancelled: FailureReason | undefined
  #discarding = false
  /** Aborted while it was discarded: its status is known, and the rest is not needed. */
  #isEnough = false
  #dispatching = false
  /** Set only while `onAttemptStart` hooks run: see `setHeader`. */
  #request: AttemptRequest | undefined

  constructor(exchange: AttemptOwner, backend: Backend, number: number, lastResort = false) {
    super(backend, number, lastResort)
    this.exchange = exchange
  }

  /** Counts the attempt and hands it to undici, which may call back before this returns. */
  start(pool: Pick<RequestPool, 'dispatch'>, request: AttemptRequest): void {
    const { exchange } = this
    this.startedAt = exchange.clock.now()
    this.#request = request
    exchange.counts.attemptStarted(this)
    this.#request = undefined
    // A hook may just have ended it.
    if (this.isOver) return
    this.#dispatching = true
    pool.dispatch(request, this)
    this.#dispatching = false
  }

  /**
   * Sets a header of this attempt only, in place of all of that name; `undefined` removes it. Only within
   * `onAttemptStart`.
   * @throws Error at any later time; TypeError for a header that cannot be sent
   */
  setHeader(name: string, value: string | undefined): void {
    if (this.#request === undefined) throw new Error(`'${name}' can be set only within onAttemptStart`)
    this.#request.headers = withHeader(this.#request.headers, name, value)
  }

  /** Ends it from our side. After `request-timeout` the backend may be to blame: see `wasSlow`. */
  cancel(reason: FailureReason): void {
    if (this.outcome !== undefined || this.#cancelled !== undefined) return
    if (this.#discarding) return this.#enough()
    const { clock, startedAt } = this.exchange
    this.#cancelled = this.wasSlow(reason, startedAt, clock.now()) ? 'headers-timeout' : reason
    const error = new Error(failures[reason].message)
    if (this.controller !== undefined) return this.controller.abort(error)
    this.connection?.abandon()
    // While it waits for a connection there is nothing to abort, but it must not begin later.
    this.onResponseError(null, error)
  }

  #enough(): void {
    this.#isEnough = true
    this.controller!.abort(new Error('the rest of an unwanted response was not read'))
  }

  /** Progress: the time limit starts again. */
  moved(): void {
    this.#movedAt = this.exchange.counts.sweep.mark
  }

  onSweep(): void {
    if (this.#movedAt === -1) return this.moved()
    const since = this.exchange.counts.sweep.since(this.#movedAt)
    const { limit, reason } = this.#discarding ? mostDiscarded : this.exchange.limitOf(this)
    if (limit > 0 && since >= limit) this.cancel(reason)
  }

  /** Discards the response: it is read to its end if that comes soon, so that the connection can be kept. */
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
      connection.requestBegins()
    }
    this.exchange.onSending()
  }

  onBodySent(chunk: Uint8Array | string): void {
    // undici writes the head together with the first part of the body.
    if (this.bytesSent === 0) this.writtenAt = this.exchange.clock.now()
    this.bytesSent += chunk.length
    this.backend.bytesSent += chunk.length
    this.moved()
  }

  onRequestSent(): void {
    // undici knows only the head; see `HeldBody`.
    if (this.held?.pending === true) return
    this.uploaded = true
    if (this.bytesSent > 0) this.uploadedAt = this.exchange.clock.now()
    this.moved()
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingFields): void {
    if (status < 200) {
      this.exchange.onInformation(status, headers)
      return
    }
    const { exchange } = this
    this.held?.answered()
    const length = this.connection?.longLength
    if (length !== undefined) headers['content-length'] = length
    this.status = status
    this.headers = headers
    this.respondedAt = exchange.clock.now()
    this.moved()
    if (exchange.call !== undefined) this.answers(exchange.call)
    if (status > 599 || isEncoded(headers)) return this.cancel('bad-response')
    exchange.counts.attemptResponded(this)
    exchange.onResponse(this, controller, headers)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#receive(chunk)) this.exchange.onData(chunk)
  }

  onBorrowed(chunk: Buffer): boolean {
    return !this.#receive(chunk) || this.exchange.onBorrowed(chunk)
  }

  /** Counts what has come of the body; false if nobody wants it. */
  #receive(chunk: Buffer): boolean {
    this.bytesReceived += chunk.length
    this.backend.bytesReceived += chunk.length
    if (this.#discarding) {
      if (this.bytesReceived > mostDiscarded.bytes) this.#enough()
      return false
    }
    this.moved()
    return true
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingFields): void {
    this.connection?.responseEnded()
    this.grpcStatus ??= this.exchange.call?.statusAtEnd(trailers)
    this.#settle('ok', undefined)
    if (!this.#discarding) this.exchange.onComplete(trailers)
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: unknown): void {
    if (this.outcome !== undefined) return
    if (this.#isEnough) {
      this.#settle('ok', undefined)
      return
    }
    // Refused by undici at once: the pool must not mistake that for a busy connection (see connection-pool.ts).
    if (this.#dispatching && !this.started) this.refused = true
    const reason =
      this.#cancelled ??
      this.exchange.ownFailure ??
      classify(error, this.progress(this.exchange.clock.now(), this.connection))
    this.#settle(reason, error)
    if (!this.#discarding) this.exchange.onFailure(this, reason, error)
  }

  #settle(outcome: Outcome, error: unknown): void {
    const { exchange } = this
    this.held?.stop()
    this.outcome = outcome
    this.error = error
    this.endedAt = exchange.clock.now()
    exchange.counts.attemptEnded(this, outcome)
  }
}
