// Room `exchange`: one client request from beginning to end: attempts, retries, time limits, the response to a failure.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Dispatcher } from 'undici'
import { Answer } from '../response/answer.ts'
import type { Attempt, AttemptOwner } from '../attempt/attempt.ts'
import { bindIfSignedIn } from '../attempt/signed-in.ts'
import type { WaitingExchange } from '../balancer.ts'
import { channels } from '../channels.ts'
import { failureError } from '../errors.ts'
import { ExchangeRecord } from './exchange-record.ts'
import { replyWithFailure } from './failure-reply.ts'
import type { FailureReason } from '../failure.ts'
import type { Forwarding } from './forwarding.ts'
import type { Lane } from '../response/response-lane.ts'
import { ClientWatch, takeBody } from './client-watch.ts'
import { tellOfClose } from './response-close.ts'
import { TimeLimits } from './limits/time-limits.ts'
import { callOf } from '../grpc/remote-call.ts'
import { closeCall, keepCopy, passDeadline, startLimit } from './call-passage.ts'
import { laneForCall } from '../response/trailers-only-lane.ts'
import { distrust, isLatest, isPipelined, waitForTurn } from '../request/pipelining.ts'
import { progressLimit, type ProgressLimit } from './limits/progress-limit.ts'
import { closeConnection } from './close-connection.ts'
import { logExchange } from '../log.ts'
import { attemptRequest, outgoing, rewriteOutgoing, type Outgoing } from '../request/outgoing-request.ts'
import { openFresh } from '../backends/pool.ts'
import { classOf } from './priority-class.ts'
import type { TurnedAway } from '../picking/queue/line.ts'
import { brokenBody, isCutOff, RequestFault } from '../request/request-body.ts'
import { refuse } from './refusals.ts'
import { isListed, Retries } from './retry.ts'
import type { IncomingFields } from '../headers/fields.ts'

/**
 * One client request on its way through: it is validated, gets a backend, is sent there and perhaps to others, and is
 * answered. It always ends exactly once, when the client's side of it has closed.
 */
export class Exchange extends ExchangeRecord implements AttemptOwner, WaitingExchange {
  /** The client closed the connection before the response was complete. */
  clientGone = false

  readonly #lane: Lane
  #outgoing: Outgoing | undefined
  #current: Attempt | undefined
  /** With an answer, no further attempt can follow. */
  #answer: Answer | undefined
  #retries: Retries | undefined
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
    const { balancer, request, forwarding, options } = this
    this.call = callOf(request.raw)
    this.startedAt = this.clock.now()
    this.hasRoom = balancer.enter()
    tellOfClose(this.reply.raw, this)
    if (channels.exchangeStart.hasSubscribers) channels.exchangeStart.publish({ exchange: this })
    // The client may have gone while an earlier hook was running.
    if (this.reply.raw.destroyed) return this.onClose()
    if (!this.hasRoom) return refuse(this, 'overloaded')
    startLimit(this.#limits, this.call, options.timeouts.request)
    try {
      this.#outgoing = outgoing(request, forwarding.request)
      rewriteOutgoing(this.#outgoing, request, forwarding.request)
      this.prepare(this.#outgoing)
      if (this.call !== undefined) keepCopy(this.#outgoing, this.call, options.retry)
    } catch (error) {
      const isFault = error instanceof RequestFault
      if (isFault) distrust(request.raw.socket)
      this.fail(isFault ? error.reason : 'rewrite-failed', error)
      return
    }
    balancer.budget.deposit(this.startedAt)
    if (request.raw.headers.expect !== undefined) this.#limits.start('continue-timeout', options.timeouts.continue)
    // The body of a request whose headers have just been parsed arrives later in this same tick, if it is small.
    if (this.#outgoing.smallLength > 0) process.nextTick(takeBody, this, this.#outgoing.smallLength)
    else this.#attemptFirst()
  }

  onBody(body: Buffer): void {
    this.#outgoing!.body = body
    this.#attemptFirst()
  }

  #attemptFirst(): void {
    const picked = this.balancer.pick(this)
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
    const { backend } = attempt
    const { timeouts } = this.options
    const fresh = this.#retries?.distrusting === true
    this.#limits.stop('queue-timeout')
    // The first attempt of this kind: all of them share this time limit.
    if (attempt.lastResort && this.attempts.at(-1)?.lastResort !== true)
      this.#limits.start('no-backend', timeouts.connect)
    this.attempts.push(attempt)
    this.#current = attempt
    const dispatcher = fresh ? openFresh(backend, backend.poolOptions, timeouts) : backend.pool
    const request = attemptRequest(this.#outgoing!, backend.hostname, timeouts)
    if (this.call !== undefined) passDeadline(request, this.call, this)
    attempt.start(dispatcher, request)
    if (fresh) backend.closeAfterUse(dispatcher)
  }

  /** There is a connection, and the request is about to be written to it. */
  onSending(): void {
    this.#limits.stop('continue-timeout')
    if (this.#current!.lastResort) this.#limits.stop('no-backend')
  }

  limitOf(attempt: Attempt): ProgressLimit {
    const out = this.#outgoing!
    this.client.check(attempt, out)
    return progressLimit(attempt, out, this.call, this.#answer?.paused === true, this.options.timeouts)
  }

  override get body(): Buffer | undefined {
    const body = this.#outgoing?.body
    return Buffer.isBuffer(body) ? body : undefined
  }

  get ownFailure(): FailureReason | undefined {
    if (this.clientGone || isCutOff(this.request)) return 'client-gone'
    return brokenBody(this.#outgoing!.body, this.request) === undefined ? undefined : 'bad-request'
  }

  onInformation(status: number, headers: IncomingFields): void {
    if (this.outcome === undefined) this.client.onInformation(this.#current!, status, headers)
  }

  onResponse(attempt: Attempt, controller: Dispatcher.DispatchController, headers: IncomingFields): void {
    bindIfSignedIn(attempt, this.request.raw)
    if (attempt !== this.#current || this.outcome !== undefined) return attempt.discard()
    if (isListed(attempt, this.options.retry) && this.#retry(attempt, 'status')) return attempt.discard()
    const lane = this.call === undefined ? this.#lane : laneForCall(this.#lane, this.call, headers, this.reply.raw)
    this.#answer = new Answer(this, lane, attempt, controller, headers, this.#outgoing!.method)
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
    if (attempt !== this.#current || this.outcome !== undefined) return
    if (this.#answer === undefined && this.#retry(attempt, reason)) return
    this.fail(reason, brokenBody(this.#outgoing!.body, this.request) ?? error)
  }

  /** Another attempt, if there may be one and a backend for it. */
  #retry(failed: Attempt, reason: FailureReason | 'status'): boolean {
    const { balancer } = this
    // When the app closes, requests at all backends are aborted.
    if (reason === 'drain-deadline' && balancer.closing) return false
    this.#retries ??= new Retries(this.options.retry, balancer.budget)
    if (!this.#retries.may(failed, reason, this.#outgoing!)) return false
    const again = reason === 'stale-connection' && balancer.set.available.includes(failed.backend)
    let next = again ? balancer.attemptAt(failed.backend, this) : 'none'
    if (typeof next !== 'object') next = balancer.pick(this)
    const goesOn = typeof next === 'object' || (next === 'saturated' && this.#queue())
    this.#retries.decided(goesOn)
    if (typeof next === 'object') this.attempt(next)
    return goesOn
  }

  /** Fails the request: cancels attempts in progress, and answers with an error if that is still possible. */
  fail(reason: FailureReason, error: unknown): void {
    if (this.outcome !== undefined) return
    this.outcome = reason
    this.error = error
    this.stopWaiting()
    this.#current?.cancel(reason)
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
    if (channels.exchangeEnd.hasSubscribers) channels.exchangeEnd.publish({ exchange: this })
    logExchange(this, this.options.logQuery)
  }

  protected stopWaiting(): void {
    if (this.waiting) this.balancer.queue.leave(this)
    this.#watch?.stop()
    this.#limits.stopAll()
  }
}
