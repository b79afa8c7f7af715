// Room `exchange`: one client request from beginning to end: attempts, retries, time limits, the response to a failure.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Dispatcher } from 'undici'
import { Answer } from '../response/answer.ts'
import type { Attempt, AttemptOwner } from '../attempt/attempt.ts'
import { bindIfSignedIn } from '../attempt/signed-in.ts'
import type { Balancer, WaitingExchange } from '../balancer.ts'
import { hedgeOf, type Hedge } from '../hedging/hedge.ts'
import { failureError } from '../errors.ts'
import { ExchangeRecord } from './exchange-record.ts'
import { replyWithFailure } from './failure-reply.ts'
import type { FailureReason } from '../failure.ts'
import type { Forwarding } from './forwarding.ts'
import type { Lane } from '../response/response-lane.ts'
import { ClientWatch, takeBody } from './client-watch.ts'
import { tellOfClose } from './closing/response-close.ts'
import { TimeLimits } from './limits/time-limits.ts'
import { callOf } from '../grpc/remote-call.ts'
import { closeCall, keepCopy, passDeadline, startLimit } from './call-passage.ts'
import { laneForCall } from '../response/trailers-only-lane.ts'
import { distrust, isLatest, isPipelined, waitForTurn } from '../request/pipelining.ts'
import { progressLimit, type ProgressLimit } from './limits/progress-limit.ts'
import { closeConnection } from './closing/close-connection.ts'
import { attemptRequest } from '../request/outgoing-request.ts'
import { openFresh } from '../backends/pool.ts'
import { classOf } from './priority-class.ts'
import type { TurnedAway } from '../picking/queue/line.ts'
import { brokenBody, RequestFault } from '../request/request-body.ts'
import { refuse } from './refusals.ts'
import { isListed, Retries } from './retry.ts'
import type { IncomingFields } from '../headers/fields.ts'

/**
 * One client request on its way through: it is validated, gets a backend, is sent there and perhaps to others, and is
 * answered. It always ends exactly once, when the client's side of it has closed.
 */
export class Exchange extends ExchangeRecord implements AttemptOwner, WaitingExchange {
  readonly #lane: Lane
  #current: Attempt | undefined
  /** With an answer, no further attempt can follow. */
  #answer: Answer | undefined
  #retries: Retries | undefined
  #hedge: Hedge | undefined
  #ended = false
  readonly #limits = new TimeLimits(this, this.options.timeouts.idle, this.forwarding.rate.least)
  #watch: ClientWatch | undefined

  constructor(request: FastifyRequest, reply: FastifyReply, forwarding: Forwarding, lane: Lane) {
    super(request, reply, forwarding)
    this.#lane = lane
  }

  get client(): ClientWatch {
    return (this.#watch ??= new ClientWatch(this, this.#limits))
  }

  /** Begins, when it is its turn. */
  begin(): void {
    if (isPipelined(this.reply.raw)) waitForTurn(this.request.raw, this.reply.raw, () => this.#start())
    else this.#start()
  }

  /** Validates the request, and goes on to the first attempt. */
  #start(): void {
    const { balancer, request, options } = this
    this.call = callOf(request.raw)
    this.startedAt = this.clock.now()
    this.hasRoom = balancer.enter()
    tellOfClose(this.reply.raw, this)
    this.tellOfStart()
    // The client may have gone while an earlier hook was running.
    if (this.reply.raw.destroyed) return this.onClose()
    if (!this.hasRoom) return refuse(this, 'overloaded')
    startLimit(this.#limits, this.call, options.timeouts.request)
    try {
      this.build()
      if (this.call !== undefined) keepCopy(this.outgoing!, this.call, options.retry)
    } catch (error) {
      const isFault = error instanceof RequestFault
      if (isFault) distrust(request.raw.socket)
      this.fail(isFault ? error.reason : 'rewrite-failed', error)
      return
    }
    balancer.budget.deposit(this.startedAt)
    if (request.raw.headers.expect !== undefined) this.#limits.start('continue-timeout', options.timeouts.continue)
    // The body of a request whose headers have just been parsed arrives later in this same tick, if it is small.
    const { smallLength } = this.outgoing!
    if (smallLength > 0) process.nextTick(takeBody, this, smallLength)
    else this.proceed(this.balancer.pick(this))
  }

  onBody(body: Buffer): void {
    this.outgoing!.body = body
    this.proceed(this.balancer.pick(this))
  }

  proceed(picked: ReturnType<Balancer['pick']>): void {
    if (typeof picked === 'object') this.attempt(picked)
    else if (picked === 'none') this.fail(this.noBackend, undefined)
    else if (!this.#queue()) this.turnAway('queue-full')
  }

  /** Enters the queue; false when that is full. */
  #queue(): boolean {
    const { queue, timeouts } = this.options
    if (!this.balancer.queue.enter(this, classOf(this.request, queue.priority))) return false
    this.#limits.start('queue-timeout', timeouts.queue)
    return true
  }

  turnAway(reason: TurnedAway): void {
    this.#limits.stop('queue-timeout')
    this.giveRoom()
    refuse(this, reason)
  }

  /** Sends the request to the attempt's backend; also called when a backend is free for a queued request. */
  attempt(attempt: Attempt): void {
    const { hedging } = this.balancer
    this.#limits.stop('queue-timeout')
    // The first attempt of this kind: all of them share this time limit.
    if (attempt.lastResort && this.attempts.at(-1)?.lastResort !== true)
      this.#limits.start('no-backend', this.options.timeouts.connect)
    this.#current = attempt
    this.send(attempt)
    if (hedging !== undefined) (this.#hedge ??= hedgeOf(this, this.outgoing!, hedging))?.watch(attempt)
  }

  send(attempt: Attempt): void {
    const { backend } = attempt
    const { timeouts } = this.options
    const fresh = this.#retries?.distrusting === true
    const pool = fresh ? openFresh(backend, backend.poolOptions, timeouts) : backend.pool
    const request = attemptRequest(this.outgoing!, backend, timeouts)
    if (this.call !== undefined) passDeadline(request, this.call, this)
    this.attempts.push(attempt)
    attempt.start(pool, request)
    if (fresh) backend.closeAfterUse(pool)
  }

  /** There is a connection, and the request is about to be written to it. */
  onSending(): void {
    this.#limits.stop('continue-timeout')
    if (this.#current!.lastResort) this.#limits.stop('no-backend')
  }

  limitOf(attempt: Attempt): ProgressLimit {
    this.client.check(attempt, this.outgoing!)
    return progressLimit(attempt, this.outgoing!, this.call, this.#answer?.paused === true, this.options.timeouts)
  }

  onInformation(attempt: Attempt, status: number, headers: IncomingFields): void {
    if (attempt === this.#current && this.outcome === undefined) this.client.onInformation(attempt, status, headers)
  }

  #awaits(attempt: Attempt): boolean {
    return this.outcome === undefined && (attempt === this.#current || attempt === this.#hedge?.beside)
  }

  onResponse(attempt: Attempt, controller: Dispatcher.DispatchController, headers: IncomingFields): void {
    bindIfSignedIn(attempt, this.request.raw)
    if (!this.#awaits(attempt)) return attempt.discard()
    if (isListed(attempt, this.options.retry) && this.#goesOn(attempt, 'status')) return attempt.discard()
    if (!this.passes(attempt)) return attempt.discard()
    this.#current = attempt
    this.#hedge?.won(attempt)
    const lane = this.call === undefined ? this.#lane : laneForCall(this.#lane, this.call, headers, this.reply.raw)
    this.#answer = new Answer(this, lane, attempt, controller, headers, this.outgoing!.method)
    this.#answer.start(headers)
    if (attempt.connection?.longLength !== undefined) attempt.connection.lends = this.#answer.borrows
  }

  onData(chunk: Buffer): void {
    this.#answer!.data(chunk)
  }

  onBorrowed(chunk: Buffer): boolean {
    return this.#answer!.borrowed(chunk)
  }

  onComplete(trailers: IncomingFields): void {
    this.#answer!.end(trailers)
    if (this.reply.raw.writableLength > 0) this.#limits.watchFlush(this.reply.raw)
  }

  onFailure(attempt: Attempt, reason: FailureReason, error: unknown): void {
    if (!this.#awaits(attempt)) return
    if (this.#answer === undefined && this.#goesOn(attempt, reason)) return
    this.fail(reason, brokenBody(this.outgoing!.body, this.request) ?? error)
  }

  /** The attempt beside it may still answer, or another one follows. */
  #goesOn(failed: Attempt, reason: FailureReason | 'status'): boolean {
    const other = this.#hedge?.after(failed, reason)
    if (other === undefined) return this.#retry(failed, reason)
    this.#current = other
    return true
  }

  /** Another attempt, now or soon, if there may be one and a backend for it. */
  #retry(failed: Attempt, reason: FailureReason | 'status'): boolean {
    this.#retries ??= new Retries(this)
    const next = this.#retries.after(failed, reason, this.outgoing!)
    if (next === undefined) return false
    const goesOn = typeof next === 'object' || (next === 'saturated' && this.#queue())
    this.#retries.decided(goesOn)
    if (typeof next === 'object') this.#retries.proceed(next, failed, reason)
    return goesOn
  }

  /** Fails the request, cancels its attempts, and sends the client an error response if that is still possible. */
  fail(reason: FailureReason, error: unknown): void {
    if (this.outcome !== undefined) return
    this.noteFailure(reason, error)
    this.stopWaiting()
    this.#current?.cancel(reason)
    this.#hedge?.beside?.cancel(reason)
    if (this.clientGone) return
    const failure = failureError(reason, error)
    if (this.#answer !== undefined && (closeCall(this, this.#answer) || !this.#answer.abandon(failure))) return
    replyWithFailure(this, failure)
  }

  /** The response was flushed, the client has gone, or its tunnel has ended: the one end of every exchange. */
  onClose(): void {
    if (this.#ended) return
    this.#ended = true
    const { writableFinished, writableEnded, socket } = this.reply.raw
    // Over HTTP/2, Node calls every closed response finished. `inject` closes a complete one before it counts as flushed.
    this.clientGone = !writableEnded || (!writableFinished && socket?.destroyed !== false)
    this.outcome ??= this.clientGone ? 'client-gone' : 'ok'
    this.endedAt = this.clock.now()
    this.stopWaiting()
    for (const attempt of this.attempts) attempt.cancel('client-gone')
    this.giveRoom()
    this.balancer.leave()
    if (this.balancer.closing && isLatest(this.reply.raw, this.request.raw)) closeConnection(this.request.raw)
    this.tellOfEnd()
  }

  protected stopWaiting(): void {
    if (this.waiting) this.balancer.queue.leave(this)
    this.#hedge?.stop()
    this.#retries?.stop()
    this.#watch?.stop()
    this.#limits.stopAll()
  }
}
