// Room `exchange`: one client request from its beginning to its one end: attempts, retries, time limits, the answer to a failure.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import { Answer } from '../response/answer.ts'
import type { Attempt, AttemptOwner } from '../attempt/attempt.ts'
import { bindIfSignedIn } from '../attempt/signed-in.ts'
import type { WaitingExchange } from '../balancer.ts'
import { channels } from '../channels.ts'
import { failureError } from '../errors.ts'
import { writeEarlyHints } from '../response/early-hints.ts'
import { ExchangeRecord } from './exchange-record.ts'
import { replyWithFailure } from './failure-reply.ts'
import type { FailureReason } from '../failure.ts'
import { firstPick } from './first-pick.ts'
import type { Forwarding } from './forwarding.ts'
import type { Lane } from '../response/response-lane.ts'
import { TimeLimits } from './time-limits.ts'
import { distrust, offSocketClose, onSocketClose } from '../request/pipelining.ts'
import { progressLimit, type ProgressLimit } from './progress-limit.ts'
import { closeConnection } from './close-connection.ts'
import { logExchange } from '../log.ts'
import { attemptRequest, outgoing, rewriteOutgoing, type Outgoing } from '../request/outgoing-request.ts'
import { openFresh } from '../backends/pool.ts'
import type { Waiter } from '../picking/queue.ts'
import { brokenBody, isUploading, RequestFault, takeSmallBody } from '../request/request-body.ts'
import { mayRetry } from './retry.ts'
import type { IncomingFields } from '../headers/fields.ts'

const exchangeOf = Symbol('fastify-balancer.exchange')
type Traced = FastifyReply['raw'] & { [exchangeOf]: Exchange }

function onClose(this: FastifyReply['raw']): void {
  ;(this as Traced)[exchangeOf].onClose()
}

function goOn(exchange: Exchange): void {
  exchange.onBodyDue()
}

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
  #resent = 0
  #ended = false
  readonly #limits = new TimeLimits(this, this.balancer.options.timeouts.idle)
  #pipelinedOn: Socket | undefined

  constructor(request: FastifyRequest, reply: FastifyReply, forwarding: Forwarding, lane: Lane) {
    super(request, reply, forwarding)
    this.#lane = lane
  }

  /** The client has not finished sending: its connection cannot be used for another request. */
  get uploading(): boolean {
    return isUploading(this.request)
  }

  /** Begins: judges, and goes on to the first attempt. */
  begin(): void {
    const { balancer, request, forwarding } = this
    const raw = this.reply.raw as Traced
    const { timeouts } = balancer.options
    balancer.exchanges++
    raw[exchangeOf] = this
    raw.on('close', onClose)
    if (raw.socket === null) onSocketClose((this.#pipelinedOn = request.raw.socket), this)
    if (channels.exchangeStart.hasSubscribers) channels.exchangeStart.publish({ exchange: this })
    // The client may have left while an earlier hook was at work.
    if (raw.destroyed) return this.onClose()
    this.#limits.start('request-timeout', timeouts.request)
    try {
      this.#outgoing = outgoing(request, forwarding.request)
      rewriteOutgoing(this.#outgoing, request, forwarding.request)
    } catch (error) {
      const isMalformed = error instanceof RequestFault
      if (isMalformed) distrust(request.raw.socket)
      this.fail(isMalformed ? 'bad-request' : 'rewrite-failed', error)
      return
    }
    balancer.budget.deposit(this.startedAt)
    if (request.raw.headers.expect !== undefined) this.#limits.start('continue-timeout', timeouts.continue)
    // The body of a request whose headers have just been parsed arrives later in this same tick, if it is small.
    if (this.#outgoing.smallLength > 0) process.nextTick(goOn, this)
    else this.#attemptFirst()
  }

  onBodyDue(): void {
    if (this.outcome !== undefined) return
    const out = this.#outgoing!
    out.body = takeSmallBody(this.request.raw, out.smallLength) ?? out.body
    this.#attemptFirst()
  }

  #attemptFirst(): void {
    const { balancer } = this
    const picked = firstPick(balancer, this)
    if (typeof picked === 'object') this.attempt(picked)
    else if (picked === 'none') this.fail('no-backend', undefined)
    else if (!this.#queue()) this.fail('queue-full', undefined)
  }

  /** Waits for a backend to become free; false when there is no place to wait. */
  #queue(): boolean {
    const { queue, options } = this.balancer
    if (!queue.enter(this)) return false
    this.#limits.start('queue-timeout', options.timeouts.queue)
    return true
  }

  /** Sends it over the attempt's backend; also called when the exchange has come first in the queue. */
  attempt(attempt: Attempt, fresh = false): void {
    const { backend } = attempt
    const { pool, timeouts } = this.balancer.options
    this.#limits.stop('queue-timeout')
    // The first of those: they have so long together.
    if (attempt.lastResort && this.attempts.at(-1)?.lastResort !== true)
      this.#limits.start('no-backend', timeouts.connect)
    this.attempts.push(attempt)
    this.#current = attempt
    const dispatcher = fresh ? openFresh(backend.url, pool, timeouts, backend.host) : backend.pool
    attempt.start(dispatcher, attemptRequest(this.#outgoing!, backend.hostname, this.balancer.options))
    if (fresh) backend.closeAfterUse(dispatcher)
  }

  /** A connection is there, and the request is about to be written to it. */
  onSending(): void {
    this.#limits.stop('continue-timeout')
    if (this.#current!.lastResort) this.#limits.stop('no-backend')
  }

  limitOf(attempt: Attempt): ProgressLimit {
    const isPaused = this.#answer?.paused === true
    return progressLimit(attempt, this.#outgoing!, isPaused, this.balancer.options.timeouts)
  }

  get ownFailure(): FailureReason | undefined {
    if (this.clientGone) return 'client-gone'
    return brokenBody(this.#outgoing!.body, this.request) === undefined ? undefined : 'bad-request'
  }

  onInformation(status: number, headers: IncomingFields): void {
    if (status === 103) writeEarlyHints(this.reply, headers)
  }

  onResponse(attempt: Attempt, controller: Dispatcher.DispatchController, headers: IncomingFields): void {
    bindIfSignedIn(attempt, this.request.raw)
    if (attempt !== this.#current || this.outcome !== undefined) return attempt.discard()
    const { statuses } = this.balancer.options.retry
    if (statuses.length > 0 && statuses.includes(attempt.status) && this.#retry(attempt, 'status'))
      return attempt.discard()
    this.#answer = new Answer(this, this.#lane, attempt, controller, headers)
    this.#answer.start(headers)
  }

  onData(chunk: Buffer): void {
    this.#answer!.data(chunk)
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
    const { method, body } = this.#outgoing!
    const now = this.clock.now()
    const { started } = failed
    const allowed = mayRetry(
      {
        reason,
        started,
        method,
        replayable: body === null || Buffer.isBuffer(body),
        attempts: this.attempts.length,
        resent: this.#resent,
        now,
      },
      balancer.options.retry,
      balancer.budget,
    )
    if (!allowed) return false
    const stale = reason === 'stale-connection' && balancer.set.available.includes(failed.backend)
    const next = stale ? balancer.attemptAt(failed.backend, this) : balancer.pick(this)
    const goesOn = typeof next === 'object' || (next === 'saturated' && this.#queue())
    if (!goesOn && started) balancer.budget.refund(now)
    // A kept connection that was closed meanwhile says nothing of the backend: the next attempt is as good as the first.
    if (goesOn && started && !stale) this.#resent++
    if (typeof next === 'object') this.attempt(next, stale)
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
    if (this.#pipelinedOn !== undefined) offSocketClose(this.#pipelinedOn, this)
    for (const attempt of this.attempts) attempt.cancel('client-gone')
    this.balancer.leave()
    if (this.balancer.closing) closeConnection(this.request.raw)
    if (channels.exchangeEnd.hasSubscribers) channels.exchangeEnd.publish({ exchange: this })
    logExchange(this)
  }

  #stopWaiting(): void {
    if (this.waiting) this.balancer.queue.leave(this)
    this.#limits.stopAll()
  }
}
