// Room `attempt`: one attempt of one exchange at one backend: its state, its time limits, and how many there may be.
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { headerOf, withHeader, type AttemptRequest, type Sending } from './attempt-headers.ts'
import type { CounterOf, OwnerOf } from './attempt-owner.ts'
import { AttemptRecord } from './attempt-record.ts'
import type { Backend } from '../backends/backend.ts'
import type { ViewOfExchange } from './exchange-view.ts'
import { failures, type FailureReason, type Outcome } from '../failure.ts'
import type { ConnectionAware, RequestPool } from '../connections/request-pool.ts'
import type { IncomingFields } from '../headers/fields.ts'
import { isEncoded } from '../headers/hop-by-hop.ts'
import type { Swept } from './time-limit-sweep.ts'

/** What hooks, channels and the log see of an exchange: one client request on its way through. */
export type ExchangeView = ViewOfExchange<Attempt>

/** See `OwnerOf`. */
export type AttemptOwner = OwnerOf<Attempt>

/** See `CounterOf`. */
export type AttemptCounter = CounterOf<Attempt>

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
  /** Set only while `onAttemptStart` hooks run: see `setHeader` and `sending`. */
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

  /** A header that it will send; undefined if there is none. Only within `onAttemptStart`. @throws Error at any later time */
  getHeader(name: string): string | undefined {
    if (this.#request === undefined) throw new Error(`'${name}' can be read only within onAttemptStart`)
    return headerOf(this.#request.headers, name)
  }

  /**
   * The request as it is about to be sent; only within `onAttemptStart`, undefined at any other time. Its headers are
   * those of all hooks once all have run. Not to be written to.
   */
  get sending(): Sending | undefined {
    return this.#request
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
    this.countSent(chunk.length, this.exchange.clock)
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
      this.exchange.onInformation(this, status, headers)
      return
    }
    const { exchange } = this
    this.held?.answered()
    const length = this.connection?.longLength
    if (length !== undefined) headers['content-length'] = length
    this.respond(status, headers, exchange.clock.now())
    this.moved()
    if (exchange.call !== undefined) this.answers(exchange.call)
    if (status > 599 || isEncoded(headers)) return this.cancel('bad-response')
    exchange.counts.attemptResponded(this)
    exchange.onResponse(this, controller, headers)
  }

  onUpgrade(status: number, headers: IncomingFields, stream: Duplex, head: Buffer): void {
    const { exchange } = this
    this.respond(status, headers, exchange.clock.now())
    const fault = exchange.upgradeFault(headers)
    if (fault !== undefined) return this.cancel(fault)
    exchange.counts.attemptResponded(this)
    // Hooks may have ended it.
    if (this.isOver) return
    this.upgraded = true
    this.#settle('ok', undefined)
    exchange.onUpgrade(this, stream, head)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#receive(chunk)) this.exchange.onData(chunk)
  }

  onBorrowed(chunk: Buffer): boolean {
    return !this.#receive(chunk) || this.exchange.onBorrowed(chunk)
  }

  /** Counts what has come of the body; false if nobody wants it. */
  #receive(chunk: Buffer): boolean {
    this.countReceived(chunk.length)
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
    const now = this.exchange.clock.now()
    const reason = this.#cancelled ?? this.exchange.ownFailure ?? this.reasonOf(error, now, this.connection)
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
