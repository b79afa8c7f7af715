import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Duplex } from 'node:stream'
import type { Attempt, ExchangeView } from '../attempt/attempt.ts'
import type { TunnelView } from '../backends/backend.ts'
import type { Balancer } from '../balancer.ts'
import { channels } from '../channels.ts'
import type { RemoteCall } from '../grpc/remote-call.ts'
import { failureStatus } from '../grpc/failure-status.ts'
import type { StatusName } from '../grpc/status-code.ts'
import { exchangeFailed } from '../attempt/failed.ts'
import { signedInAt } from '../attempt/signed-in.ts'
import type { Backend } from '../backends/backend.ts'
import { brokenBody, isCutOff, isUploading } from '../request/request-body.ts'
import type { Clock } from '../clock.ts'
import { blameOf, type Blame, type FailureReason, type Outcome } from '../failure.ts'
import type { IncomingFields } from '../headers/fields.ts'
import { logExchange, shownUrl } from '../log.ts'
import { outgoing, rewriteOutgoing, type Outgoing } from '../request/outgoing-request.ts'
import type { ParsedOptions } from '../options.ts'
import { changeAddresses } from '../rewriting/response-addresses.ts'
import type { AttemptCounts } from '../counts/attempt-counts.ts'
import type { Forwarding } from './forwarding.ts'
import type { Waiter } from '../picking/queue/line.ts'
import { isRefusal } from '../picking/queue/refusals.ts'
import type { PickRequest } from '../picking/policy.ts'

/** What is known of an exchange: read by hooks, channels, policies and the log; written by the exchange itself. */
export class ExchangeRecord implements ExchangeView {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly forwarding: Forwarding
  readonly balancer: Balancer
  /** The balancer's options when it began: it keeps them, whatever changes meanwhile. */
  readonly options: ParsedOptions
  readonly clock: Clock
  /** Undefined for all but gRPC, gRPC-Web and Connect. */
  call: RemoteCall | undefined
  startedAt = 0
  endedAt = 0
  readonly attempts: Attempt[] = []
  answeredBy: Attempt | undefined
  /** Set once the outcome is known: `ok` only when everything was sent to the client. */
  outcome: Outcome | undefined
  error: unknown
  previousWaiter: Waiter | undefined
  nextWaiter: Waiter | undefined
  waiting = false
  rank = 0
  waitingSince = 0
  /** The client closed the connection before the response was complete. */
  clientGone = false
  /** Undefined until the request has been found to be valid. */
  protected outgoing: Outgoing | undefined
  /** Counts towards `maxExchanges`. */
  protected hasRoom = false

  constructor(request: FastifyRequest, reply: FastifyReply, forwarding: Forwarding) {
    this.request = request
    this.reply = reply
    this.forwarding = forwarding
    this.balancer = forwarding.balancer
    this.options = forwarding.options
    this.clock = this.balancer.clock
  }

  get counts(): AttemptCounts {
    return this.balancer.counts
  }

  get balancerName(): string {
    return this.balancer.name
  }

  get method(): string {
    return this.request.raw.method!
  }

  get url(): string {
    return this.request.raw.url!
  }

  get path(): string {
    return shownUrl(this.url, false)
  }

  get headers(): PickRequest['headers'] {
    return this.request.raw.headers
  }

  get address(): string | undefined {
    // Once the connection has gone, its socket may be missing, whatever the types say.
    return (this.request.raw.socket as unknown) ? this.request.ip : undefined
  }

  get body(): Buffer | undefined {
    const body = this.outgoing?.body
    return Buffer.isBuffer(body) ? body : undefined
  }

  get home(): Backend | undefined {
    return signedInAt(this.request.raw)
  }

  get uploading(): boolean {
    return isUploading(this.request)
  }

  get ownFailure(): FailureReason | undefined {
    if (this.clientGone || isCutOff(this.request)) return 'client-gone'
    return brokenBody(this.outgoing!.body, this.request) === undefined ? undefined : 'bad-request'
  }

  get grpcStatus(): StatusName | undefined {
    if (this.call === undefined) return undefined
    const { outcome } = this
    return outcome === undefined || outcome === 'ok' ? this.attempts.at(-1)?.grpcStatus : failureStatus(outcome)
  }

  get blame(): Blame | undefined {
    return blameOf(this.outcome)
  }

  get failed(): boolean {
    return exchangeFailed(this)
  }

  get retries(): number {
    let count = 0
    for (const { isRetry } of this.attempts) if (isRetry) count++
    return count
  }

  get status(): number {
    const { raw } = this.reply
    return raw.headersSent ? raw.statusCode : 0
  }

  get upgrade(): readonly string[] | undefined {
    return undefined
  }

  get tunnel(): TunnelView | undefined {
    return undefined
  }

  /** Validates the request, and builds the one to send. @throws RequestFault when it must not be forwarded */
  protected build(): void {
    const { request, forwarding } = this
    const out = outgoing(request, forwarding.request)
    this.outgoing = out
    rewriteOutgoing(out, request, forwarding.request)
    this.prepare(out)
  }

  /** Changes the request before it is sent anywhere. @throws RequestFault when it must not be forwarded */
  protected prepare(_out: Outgoing): void {}

  /** Why it is refused when there is no backend for it. */
  protected get noBackend(): FailureReason {
    return 'no-backend'
  }

  upgradeFault(_headers: IncomingFields): FailureReason | undefined {
    return 'upgrade-mismatch'
  }

  onUpgrade(_attempt: Attempt, stream: Duplex, _head: Buffer): void {
    stream.destroy()
  }

  protected tellOfStart(): void {
    if (channels.exchangeStart.hasSubscribers) channels.exchangeStart.publish({ exchange: this })
  }

  protected tellOfEnd(): void {
    // One for a tunnel was counted when that was opened.
    if (this.tunnel === undefined) this.balancer.totals.add(this)
    if (channels.exchangeEnd.hasSubscribers) channels.exchangeEnd.publish({ exchange: this })
    logExchange(this, this.options.logQuery)
  }

  protected noteFailure(reason: FailureReason, error: unknown): void {
    this.outcome = reason
    this.error = error
    if (isRefusal(reason)) this.balancer.queue.count(reason)
  }

  /** Tells hooks that this response goes to the client; false if one of them has ended the exchange or the attempt. */
  protected passes(attempt: Attempt): boolean {
    const { hooks } = this.balancer
    const { addresses } = this.forwarding.response
    this.answeredBy = attempt
    if (addresses.some || attempt.backend.base !== '')
      changeAddresses(attempt.headers, addresses, this.request, attempt.backend, this.outgoing!.headers)
    if (hooks.onResponse.length === 0) return true
    hooks.tell('onResponse', attempt)
    if (this.outcome === undefined && (attempt.upgraded || !attempt.isOver)) return true
    this.answeredBy = undefined
    return false
  }

  /** Those that wait to be refused, and those that have ended, must not take the room of others. */
  protected giveRoom(): void {
    if (this.hasRoom) this.balancer.giveRoom()
    this.hasRoom = false
  }
}
