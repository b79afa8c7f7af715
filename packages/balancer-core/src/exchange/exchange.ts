// Room `exchange`: one client request from its beginning to its one end: attempts, retries, time limits, the answer to a failure.
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
import { firstPick } from './first-pick.ts'
import type { Forwarding } from './forwarding.ts'
import type { Lane } from '../response/response-lane.ts'
import { ClientWatch, takeBody } from './client-watch.ts'
import { tellOfClose } from './response-close.ts'
import { TimeLimits } from './time-limits.ts'
import { distrust, isLatest, isPipelined, waitForTurn } from '../request/pipelining.ts'
import { progressLimit, type ProgressLimit } from './progress-limit.ts'
import { closeConnection } from './close-connection.ts'
import { logExchange } from '../log.ts'
import { attemptRequest, outgoing, rewriteOutgoing, type Outgoing } from '../request/outgoing-request.ts'
import { openFresh } from '../backends/pool.ts'
import type { Waiter } from '../picking/queue.ts'
import { brokenBody, isUploading, RequestFault } from '../request/request-body.ts'
import { refuse } from './refusals.ts'
import { Retries } from './retry.ts'
import type { IncomingFields } from '../headers/fields.ts'

/**
 * One client request on its way through: it is judged, gets a backend, is tried there and maybe elsewhere, and is
 * answered. Whatever happens, it ends once, when the client's side of it has closed.
 */
export class Exchange extends ExchangeRecord implements AttemptOwner, WaitingExchange {
  /** The client has closed its side before it was answered whole. */
  clientGone = false
  previousWaiter: Waiter | undefined
  nextWaiter: Waiter | undefined
  waiting = false

  readonly #lane: Lane
  #outgoing: Outgoing | undefined
  #current: Attempt | undefined
  /** Once there is one, no other attempt can follow. */
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

  get uploading(): boolean {
    return isUploading(this.request)
  }

  /** Begins, when it is its turn. */
  begin(): void {
    if (isPipelined(this.reply.raw)) waitForTurn(this.request.raw, this.reply.raw, () => this.#start())
    else this.#start()
  }

  /** Judges, and goes on to the first attempt. */
  #start(): void {
    const { balancer, request, forwarding } = this
    const { timeouts } = this.options
    this.startedAt = this.clock.now()
    const hasRoom = balancer.enter()
    tellOfClose(this.reply.raw, this)
    if (channels.exchangeStart.hasSubscribers) channels.exchangeStart.publish({ exchange: this })
    // The client may have left while an earlier hook was at work.
    if (this.reply.raw.destroyed) return this.onClose()
    if (!hasRoom) return refuse(this, 'overloaded')
    this.#limits.start('request-timeout', timeouts.request)
    try {
      this.#outgoing = outgoing(request, forwarding.request)
      rewriteOutgoing(this.#outgoing, request, forwarding.request)
    } catch (error) {
      const isFault = error instanceof RequestFault
      if (isFault) distrust(request.raw.socket)
      this.fail(isFault ? error.reason : 'rewrite-failed', error)
      return
    }
    balancer.budget.deposit(this.startedAt)
    if (request.raw.headers.expect !== undefined) this.#limits.start('continue-timeout', timeouts.continue)
    // The body of a request whose headers have just been parsed arrives later in this same tick, if it is small.
    if (this.#outgoing.smallLength > 0) process.nextTick(takeBody, this, this.#outgoing.smallLength)
    else this.#attemptFirst()
  }

  onBody(body: Buffer): void {
    this.#outgoing!.body = body
    this.#attemptFirst()
  }

  #attemptFirst(): void {
    const { balancer } = this
    const picked = firstPick(balancer, this)
    if (typeof picked === 'object') this.attempt(picked)
    else if (picked === 'none') this.fail('no-backend', undefined)
    else if (!this.#queue()) refuse(this, 'queue-full')
  }

  /** Waits for a backend to become free; false when there is no place to wait. */
  #queue(): boolean {
    if (!this.balancer.queue.enter(this)) return false
    this.#limits.start('queue-timeout', this.options.timeouts.queue)
    return true
  }

  /** Sends it over the attempt's backend; also called when the exchange has come first in the queue. */
  attempt(attempt: Attempt): void {
    const { backend } = attempt
    const { timeouts } = this.options
    // Of now: it has to fit the pool, which may be another since the exchange began.
    const now = this.balancer.options
    const fresh = this.#retries?.distrusting === true
    this.#limits.stop('queue-timeout')
    // The first of those: they have so long together.
    if (attempt.lastResort && this.attempts.at(-1)?.lastResort !== true)
      this.#limits.start('no-backend', timeouts.connect)
    this.attempts.push(attempt)
    this.#current = attempt
    const dispatcher = fresh ? openFresh(backend.url, now.pool, timeouts, backend.host) : backend.pool
    attempt.start(dispatcher, attemptRequest(this.#outgoing!, backend.hostname, now))
    if (fresh) backend.closeAfterUse(dispatcher)
  }

  /** A connection is there, and the request is about to be written to it. */
  onSending(): void {
    this.#limits.stop('continue-timeout')
    if (this.#current!.lastResort) this.#limits.stop('no-backend')
  }

  limitOf(attempt: Attempt): ProgressLimit {
    const out = this.#outgoing!
    this.client.check(attempt, out)
    return progressLimit(attempt, out, this.#answer?.paused === true, this.options.timeouts)
  }

  get ownFailure(): FailureReason | undefined {
    if (this.clientGone) return 'client-gone'
    return brokenBody(this.#outgoing!.body, this.request) === undefined ? undefined : 'bad-request'
  }

  onInformation(status: number, headers: IncomingFields): void {
    if (this.outcome === undefined) this.client.onInformation(this.#current!, status, headers)
  }

  onResponse(attempt: Attempt, controller: Dispatcher.DispatchController, headers: IncomingFields): void {
    bindIfSignedIn(attempt, this.request.raw)
    if (attempt !== this.#current || this.outcome !== undefined) return attempt.discard()
    const { statuses } = this.options.retry
    if (statuses.length > 0 && statuses.includes(attempt.status) && this.#retry(attempt, 'status'))
      return attempt.discard()
    this.#answer = new Answer(this, this.#lane, attempt, controller, headers, this.#outgoing!.method)
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
    // When the app closes, every backend is cut.
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

  /** Ends it for a reason: whatever is under way is cancelled, and the client is told if it still can be. */
  fail(reason: FailureReason, error: unknown): void {
    if (this.outcome !== undefined) return
    this.outcome = reason
    this.error = error
    this.#stopWaiting()
    this.#current?.cancel(reason)
    if (this.clientGone) return
    const failure = failureError(reason, error)
    if (this.#answer !== undefined && !this.#answer.abandon(failure)) return
    replyWithFailure(this, failure)
  }

  /** The response was flushed, or the client has gone: the one end of every exchange. */
  onClose(): void {
    if (this.#ended) return
    this.#ended = true
    const { writableFinished, writableEnded, socket } = this.reply.raw
    // `inject` closes a response that it has whole before it counts as flushed; its socket lives on.
    this.clientGone = !writableFinished && !(writableEnded && socket?.destroyed === false)
    this.outcome ??= this.clientGone ? 'client-gone' : 'ok'
    this.endedAt = this.clock.now()
    this.#stopWaiting()
    for (const attempt of this.attempts) attempt.cancel('client-gone')
    this.balancer.leave()
    if (this.balancer.closing && isLatest(this.reply.raw, this.request.raw)) closeConnection(this.request.raw)
    if (channels.exchangeEnd.hasSubscribers) channels.exchangeEnd.publish({ exchange: this })
    logExchange(this, this.options.logQuery)
  }

  #stopWaiting(): void {
    if (this.waiting) this.balancer.queue.leave(this)
    this.#watch?.stop()
    this.#limits.stopAll()
  }
}
