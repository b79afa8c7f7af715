import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Socket } from 'node:net'
import type { Attempt } from '../attempt/attempt.ts'
import type { AttemptCounts } from '../counts/attempt-counts.ts'
import { BodyCollection } from './body-collection.ts'
import { ClientRate, type RateLimit } from './limits/client-rate.ts'
import type { Clock } from '../clock.ts'
import type { FailureReason, Outcome } from '../failure.ts'
import type { IncomingFields } from '../headers/fields.ts'
import { isHeldUp } from './limits/progress-limit.ts'
import { takeSmallBody } from '../request/request-body.ts'
import type { Outgoing } from '../request/outgoing-request.ts'
import { InterimResponses } from '../response/interim-responses.ts'
import type { TimeLimits } from './limits/time-limits.ts'

/**
 * How often to check whether a paused client is still there (ms), and how much of its body is read for that at most
 * (bytes).
 */
const lookPeriod = 500
const maxReadAhead = 4 * 1024 * 1024

/** Owner of the client: an exchange. */
interface Watched {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly clock: Clock
  readonly counts: AttemptCounts
  readonly forwarding: {
    readonly rate: RateLimit
    readonly options: { readonly timeouts: { readonly idle: number } }
  }
  readonly balancer: object
  onBody(body: Buffer): void
  fail(reason: FailureReason, error: unknown): void
}

/** Receiver of a small body. */
interface Taking {
  readonly request: FastifyRequest
  readonly outcome: Outcome | undefined
  readonly client: ClientWatch
  onBody(body: Buffer): void
}

/** Hands over a small body if it has arrived; otherwise waits for it. */
export function takeBody(exchange: Taking, length: number): void {
  if (exchange.outcome !== undefined) return
  const body = takeSmallBody(exchange.request.raw, length)
  if (body === undefined) exchange.client.collect(length)
  else exchange.onBody(body)
}

/** Watches a client that is slow to send or read. Created only for an exchange that has to wait for it. */
export class ClientWatch {
  readonly #exchange: Watched
  readonly #limits: TimeLimits
  readonly #rate = new ClientRate()
  #lookedAt = 0
  #interim: InterimResponses | undefined
  #collection: BodyCollection | undefined

  constructor(exchange: Watched, limits: TimeLimits) {
    this.#exchange = exchange
    this.#limits = limits
  }

  /** Reads a body of this length completely, and hands it over. */
  collect(length: number): void {
    const { request, clock, forwarding, balancer } = this.#exchange
    const { idle } = forwarding.options.timeouts
    const limits = { idle, rate: forwarding.rate, clock }
    this.#collection = new BodyCollection(balancer, this, request.raw, length, limits)
    this.#collection.begin()
  }

  onBody(body: Buffer): void {
    this.#exchange.onBody(body)
  }

  onBodyStalled(): void {
    this.#exchange.fail('request-stalled', undefined)
  }

  onClosed(): void {
    this.#exchange.fail('drain-deadline', undefined)
  }

  /** Fails the request of a client that is too slow, and notices one that has gone. To be called repeatedly. */
  check(attempt: Attempt, out: Outgoing): void {
    const { reply, forwarding, counts } = this.#exchange
    const { now } = counts.sweep
    const reason = this.#rate.check(attempt, out, reply.raw, forwarding.rate, now)
    if (reason !== undefined) attempt.cancel(reason)
    else if (!attempt.uploaded && isHeldUp(out.body) && now - this.#lookedAt >= lookPeriod) {
      this.#lookedAt = now
      this.#look()
    }
  }

  /**
   * While the backend reads nothing, nothing is read from the client either, and its end would go unnoticed: so a
   * little is read.
   */
  #look(): void {
    const { raw } = this.#exchange.request
    if (raw.httpVersionMajor === 1 && raw.readableLength < maxReadAhead) (raw.socket as Socket | null)?.resume()
  }

  /** An interim response has arrived. */
  onInformation(attempt: Attempt, status: number, headers: IncomingFields): void {
    const { reply } = this.#exchange
    this.#interim ??= new InterimResponses(reply)
    if (!this.#interim.take(status, headers)) attempt.cancel('bad-response')
    if (this.#interim.blocked) this.#limits.watchFlush(reply.raw)
  }

  stop(): void {
    this.#collection?.stop()
  }
}
