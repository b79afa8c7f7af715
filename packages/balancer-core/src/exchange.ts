import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Attempt, AttemptOwner } from './attempt.ts'
import type { Balancer, WaitingExchange } from './balancer.ts'
import { channels } from './channels.ts'
import type { Clock } from './clock.ts'
import { failureError } from './errors.ts'
import type { FailureReason, Outcome } from './failure.ts'
import type { Forwarding } from './forwarding.ts'
import type { Answering, Lane } from './lane.ts'
import { logExchange } from './log.ts'
import { outgoing, RequestFault, rewriteOutgoing, takeSmallBody, type Outgoing } from './outgoing.ts'
import type { PickRequest } from './policy.ts'
import { openFresh } from './pool.ts'
import type { Waiter } from './queue.ts'
import { mayRetry, type RetryQuestion } from './retry.ts'
import type { IncomingFields } from './response-headers.ts'
import { StallWatch } from './stall-watch.ts'

const exchangeOf = Symbol('fastify-balancer.exchange')
type Traced = FastifyReply['raw'] & { [exchangeOf]: Exchange }

function onClose(this: FastifyReply['raw']): void {
  ;(this as Traced)[exchangeOf].onClose()
}

function onDrain(this: FastifyReply['raw']): void {
  ;(this as Traced)[exchangeOf].resume()
}

function withSmallBody(exchange: Exchange): void {
  exchange.onBodyDue()
}

/**
 * One client request on its way through: it is judged, gets a backend, is tried there and maybe elsewhere, and is
 * answered. Whatever happens, it ends once, when the client's side of it has closed.
 */
export class Exchange implements AttemptOwner, Answering, WaitingExchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly balancer: Balancer
  readonly forwarding: Forwarding
  readonly clock: Clock
  /** On the clock, in ms. */
  readonly startedAt: number
  endedAt = 0
  /** Every attempt so far, in order. */
  readonly attempts: Attempt[] = []
  /** Set once it is decided how it ends; `ok` may still become `client-gone` while the response is flushed. */
  outcome: Outcome | undefined
  error: unknown
  /** The client has closed its side before it was answered whole. */
  clientGone = false

  /** For the lane: what it remembers, how long the body will be (-1 = unknown), and what it has taken of it. */
  laneState: unknown
  expected = -1
  written = 0

  previousWaiter: Waiter | undefined
  nextWaiter: Waiter | undefined
  waiting = false

  readonly #lane: Lane
  #outgoing: Outgoing | undefined
  #current: Attempt | undefined
  /** The lane has taken over: no other attempt can follow. */
  #answering = false
  #resent = 0
  #paused: Dispatcher.DispatchController | undefined
  #listensForDrain = false
  #watch: StallWatch | undefined
  #deadline: unknown
  #continueTimer: unknown
  #queueTimer: unknown

  constructor(request: FastifyRequest, reply: FastifyReply, forwarding: Forwarding, lane: Lane) {
    this.request = request
    this.reply = reply
    this.forwarding = forwarding
    this.balancer = forwarding.balancer
    this.clock = this.balancer.clock
    this.#lane = lane
    this.startedAt = this.clock.now()
  }

  get ledger(): Balancer {
    return this.balancer
  }

  get balancerName(): string {
    return this.balancer.name
  }

  get status(): number {
    const { raw } = this.reply
    return raw.headersSent ? raw.statusCode : 0
  }

  get method(): string {
    return this.request.raw.method!
  }

  get url(): string {
    return this.request.raw.url!
  }

  get headers(): PickRequest['headers'] {
    return this.request.raw.headers
  }

  /** No body may follow the response's headers. */
  get bodyless(): boolean {
    const { status } = this.#current!
    return this.request.raw.method === 'HEAD' || status === 204 || status === 304
  }

  /** The client has not finished sending: its connection cannot be used for another request. */
  get uploading(): boolean {
    return !this.request.raw.complete && this.#outgoing?.body !== null
  }

  /** Begins: judges, and goes on to the first attempt. */
  begin(): void {
    const { balancer, request, forwarding, clock } = this
    const raw = this.reply.raw as Traced
    const { timeouts } = balancer.options
    balancer.exchanges++
    raw[exchangeOf] = this
    raw.on('close', onClose)
    // A pipelined response has no socket yet, and would not hear of its end.
    if (raw.socket === null) request.raw.socket.once('close', () => this.onClose())
    if (channels.exchangeStart.hasSubscribers) channels.exchangeStart.publish({ exchange: this })
    if (timeouts.request > 0)
      this.#deadline = clock.setTimeout(() => this.fail('request-timeout', undefined), timeouts.request)
    try {
      this.#outgoing = outgoing(request, forwarding)
      rewriteOutgoing(this.#outgoing, request, forwarding)
    } catch (error) {
      this.fail(error instanceof RequestFault ? 'bad-request' : 'rewrite-failed', error)
      return
    }
    balancer.budget.deposit(this.startedAt)
    if (request.raw.headers.expect !== undefined && timeouts.continue > 0) {
      this.#continueTimer = clock.setTimeout(() => this.fail('continue-timeout', undefined), timeouts.continue)
    }
    // The body of a request whose headers have just been parsed arrives later in this same tick, if it is small.
    if (this.#outgoing.smallLength > 0) process.nextTick(withSmallBody, this)
    else this.#tryFirst()
  }

  onBodyDue(): void {
    if (this.outcome !== undefined) return
    takeSmallBody(this.#outgoing!, this.request)
    this.#tryFirst()
  }

  #tryFirst(): void {
    const { balancer } = this
    // First come, first served: nobody overtakes those who wait.
    const picked = balancer.queue.length > 0 ? 'saturated' : balancer.pick(this)
    if (typeof picked === 'object') this.attempt(picked)
    else if (picked === 'none') this.fail('no-backend', undefined)
    else if (!balancer.queue.enter(this)) this.fail('queue-full', undefined)
    else {
      const { queue } = balancer.options.timeouts
      if (queue > 0) this.#queueTimer = this.clock.setTimeout(() => this.fail('queue-timeout', undefined), queue)
    }
  }

  /** Sends it over the attempt's backend; also called when the exchange has come first in the queue. */
  attempt(attempt: Attempt, fresh = false): void {
    const { method, path, headers, body } = this.#outgoing!
    this.clock.clearTimeout(this.#queueTimer)
    this.attempts.push(attempt)
    this.#current = attempt
    const { pool, timeouts } = this.balancer.options
    const dispatcher = fresh ? openFresh(attempt.backend.url, pool, timeouts) : attempt.backend.pool
    attempt.start(dispatcher, {
      method: method as Dispatcher.HttpMethod,
      path,
      headers,
      body,
      // undici would close the connection after HEAD, for fear of servers that send a body.
      ...(method === 'HEAD' && body === null && { reset: false }),
    })
    if (fresh) void dispatcher.close()
  }

  /** A connection is there, and the request is about to be written to it. */
  onSending(): void {
    this.clock.clearTimeout(this.#continueTimer)
    const { body } = this.#outgoing!
    if (body !== null && !Buffer.isBuffer(body)) this.#watchFor('upload')
  }

  /** Part of the body has been handed to the backend's socket. */
  onProgress(): void {
    this.#watch?.progress()
  }

  onInformation(status: number, headers: IncomingFields): void {
    const { link } = headers
    // An HTTP/1.0 client would take it for the response (RFC 9110 §15.2).
    if (status === 103 && link !== undefined && this.request.raw.httpVersion !== '1.0') {
      this.reply.raw.writeEarlyHints({ link: link as string | string[] })
    }
  }

  onResponse(attempt: Attempt, controller: Dispatcher.DispatchController, headers: IncomingFields): void {
    if (attempt !== this.#current || this.outcome !== undefined) return attempt.discard()
    const { statuses } = this.balancer.options.retry
    if (statuses.length > 0 && statuses.includes(attempt.status) && this.#retry(attempt, 'status'))
      return attempt.discard()
    this.#answering = true
    const length = headers['content-length']
    if (this.bodyless) this.expected = 0
    else if (length !== undefined) this.expected = Number(length)
    try {
      this.#lane.start(this, attempt.status, controller, headers)
    } catch (error) {
      this.fail('bad-response', error)
    }
  }

  onData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.expected === 0) return
    this.written += chunk.length
    this.#lane.data(this, controller, chunk)
  }

  onComplete(trailers: IncomingFields): void {
    this.outcome ??= 'ok'
    this.#watch?.stop()
    this.#lane.end(this, trailers)
  }

  onFailure(attempt: Attempt, reason: FailureReason, error: unknown): void {
    if (attempt !== this.#current || this.outcome !== undefined) return
    if (!this.#answering && this.#retry(attempt, reason)) return
    this.fail(reason, error)
  }

  /** Another attempt, if there may be one and a backend for it. */
  #retry(failed: Attempt, reason: FailureReason | 'status'): boolean {
    const { balancer, clock } = this
    const { method, body } = this.#outgoing!
    const { started } = failed
    const question: RetryQuestion = {
      reason,
      started,
      method,
      replayable: body === null || Buffer.isBuffer(body),
      attempts: this.attempts.length,
      resent: this.#resent,
      now: clock.now(),
    }
    const stale = reason === 'stale-connection'
    // Asked before the budget is, so that a retry which cannot be made costs nothing.
    const next = stale ? balancer.attemptAt(failed.backend, this) : balancer.pick(this)
    if (typeof next !== 'object' || !mayRetry(question, balancer.options.retry, balancer.budget)) return false
    if (started) this.#resent++
    this.attempt(next, stale)
    return true
  }

  /** The client reads more slowly than the backend sends. */
  pause(controller: Dispatcher.DispatchController): void {
    if (this.#paused !== undefined) return
    this.#paused = controller
    controller.pause()
    this.#watchFor('download')
    if (this.#listensForDrain) return
    this.#listensForDrain = true
    this.reply.raw.on('drain', onDrain)
  }

  resume(): void {
    const controller = this.#paused
    if (controller === undefined) return
    this.#paused = undefined
    this.#watch?.progress()
    controller.resume()
  }

  #watchFor(direction: 'upload' | 'download'): void {
    const { idle } = this.balancer.options.timeouts
    if (idle === 0) return
    this.#watch?.stop()
    this.#watch =
      direction === 'upload'
        ? new StallWatch(
            this.clock,
            idle,
            () => !this.#current!.uploaded,
            () => {
              // undici pauses the body while the backend's socket takes no more.
              const { body } = this.#outgoing!
              this.fail((body as Readable).isPaused() ? 'upload-timeout' : 'client-stalled', undefined)
            },
          )
        : new StallWatch(
            this.clock,
            idle,
            () => this.#paused !== undefined,
            () => this.fail('client-stalled', undefined),
          )
  }

  /** Ends it for a reason: whatever is under way is cancelled, and the client is told if it still can be. */
  fail(reason: FailureReason, error: unknown): void {
    if (this.outcome !== undefined) return
    const { reply, balancer } = this
    this.outcome = reason
    this.error = error
    this.#quiet()
    this.#current?.cancel(reason)
    if (this.clientGone) return
    const failure = failureError(reason, error)
    if (this.#answering && !this.#lane.abandon(this, failure)) return
    // What is left of the body is not read, so the next request could not be found behind it.
    if (!this.request.raw.complete && this.request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
    if (failure.statusCode === 503) reply.header('retry-after', '1')
    if (balancer.options.failureHeader) reply.header('x-balancer-failure', reason)
    reply.send(reason === 'rewrite-failed' && error instanceof Error ? error : failure)
  }

  /** The full lane's stream was destroyed by whoever consumed it. */
  onBodyUnwanted(): void {
    this.#current?.cancel('client-gone')
  }

  /** The response was flushed, or the client has gone: the one end of every exchange. */
  onClose(): void {
    if (this.endedAt !== 0) return
    const { writableFinished, writableEnded, socket } = this.reply.raw
    // `inject` closes a response that it has whole before it counts as flushed; its socket lives on.
    this.clientGone = !writableFinished && !(writableEnded && socket?.destroyed === false)
    if (this.outcome === undefined || (this.outcome === 'ok' && this.clientGone))
      this.outcome = this.clientGone ? 'client-gone' : 'ok'
    this.endedAt = this.clock.now()
    this.#quiet()
    this.#current?.cancel('client-gone')
    this.balancer.leave()
    if (channels.exchangeEnd.hasSubscribers) channels.exchangeEnd.publish({ exchange: this })
    logExchange(this)
  }

  #quiet(): void {
    const { clock } = this
    if (this.waiting) this.balancer.queue.leave(this)
    if (this.#deadline !== undefined) clock.clearTimeout(this.#deadline)
    if (this.#continueTimer !== undefined) clock.clearTimeout(this.#continueTimer)
    if (this.#queueTimer !== undefined) clock.clearTimeout(this.#queueTimer)
    this.#watch?.stop()
  }
}
