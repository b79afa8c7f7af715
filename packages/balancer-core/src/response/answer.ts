// Room `response`: the response of a backend on its way to the client.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Dispatcher } from 'undici'
import type { Attempt } from '../attempt/attempt.ts'
import type { Backend } from '../backends/backend.ts'
import type { FailureReason, Outcome } from '../failure.ts'
import type { Answering, AnswerRules, Lane } from './response-lane.ts'
import type { IncomingFields } from '../headers/fields.ts'

/** Owner of the response: an exchange. */
interface Answered {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly outcome: Outcome | undefined
  readonly forwarding: { readonly response: AnswerRules }
  readonly uploading: boolean
  fail(reason: FailureReason, error: unknown): void
}

/** The response of one attempt on its way to the client, over the lane of its route. */
export class Answer implements Answering {
  readonly status: number
  readonly bodyless: boolean
  readonly empty: boolean
  readonly expected: number
  written = 0
  laneState: unknown
  /** The backend is paused until the client has read what was sent. */
  paused = false
  readonly #exchange: Answered
  readonly #lane: Lane
  readonly #attempt: Attempt
  readonly #controller: Dispatcher.DispatchController
  #listensForDrain = false

  constructor(
    exchange: Answered,
    lane: Lane,
    attempt: Attempt,
    controller: Dispatcher.DispatchController,
    headers: IncomingFields,
    sentMethod: string,
  ) {
    this.#exchange = exchange
    this.#lane = lane
    this.#attempt = attempt
    this.#controller = controller
    this.status = attempt.status
    const isBodyless = this.status === 204 || this.status === 304
    this.bodyless = isBodyless || exchange.request.raw.method === 'HEAD'
    this.empty = isBodyless || sentMethod === 'HEAD'
    // HTTP/2 allows trailers behind a body of known length; they are passed on as HTTP/1.1 can.
    const isHttp2 = attempt.backend.protocol !== 'http1'
    if (headers.trailer !== undefined && isHttp2 && !this.bodyless && !this.empty) delete headers['content-length']
    const length = headers['content-length']
    this.expected = this.bodyless || this.empty ? 0 : length === undefined ? -1 : Number(length)
  }

  get request(): FastifyRequest {
    return this.#exchange.request
  }

  get reply(): FastifyReply {
    return this.#exchange.reply
  }

  get rules(): AnswerRules {
    return this.#exchange.forwarding.response
  }

  get backend(): Backend {
    return this.#attempt.backend
  }

  get failed(): boolean {
    return this.#exchange.outcome !== undefined
  }

  get uploading(): boolean {
    return this.#exchange.uploading
  }

  start(headers: IncomingFields): void {
    try {
      this.#lane.start(this, headers)
    } catch (error) {
      this.fail('bad-response', error)
    }
  }

  data(chunk: Buffer): void {
    // Data after the headers of a response without a body is not part of it. After a pause, undici emits an empty
    // chunk.
    if (this.expected === 0 || chunk.length === 0) return
    this.written += chunk.length
    this.#lane.data(this, chunk)
  }

  /** Can what is given in memory that is used again be written from there? */
  get borrows(): boolean {
    return this.#lane.borrows?.(this) === true
  }

  /** The same as `data`, of such memory: false if it was kept. */
  borrowed(chunk: Buffer): boolean {
    this.written += chunk.length
    return this.#lane.borrowed!(this, chunk)
  }

  end(trailers: IncomingFields): void {
    this.#lane.end(this, trailers)
  }

  /** True if nothing was sent yet, so that the client can still get an error response. */
  abandon(error: Error): boolean {
    return this.#lane.abandon(this, error)
  }

  pause(): void {
    if (this.paused) return
    this.paused = true
    this.#controller.pause()
    this.#attempt.moved()
    if (this.#listensForDrain) return
    this.#listensForDrain = true
    this.reply.raw.on('drain', () => this.resume())
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.#attempt.moved()
    this.#controller.resume()
    this.#attempt.connection?.resumed?.()
  }

  unwanted(): void {
    this.#attempt.cancel('client-gone')
  }

  fail(reason: FailureReason, error: unknown): void {
    this.#exchange.fail(reason, error)
  }
}
