import type { Dispatcher } from 'undici'
import type { Backend } from '../backends/backend.ts'
import { countStatus } from '../backends/counts/status-counts.ts'
import type { Clock } from '../clock.ts'
import type { CarryingConnection } from '../connections/request-pool.ts'
import { tlsReasonOf } from '../connections/tls/tls-reasons.ts'
import type { RemoteCall } from '../grpc/remote-call.ts'
import { httpStatusOf, type StatusName } from '../grpc/status-code.ts'
import { classify, type AttemptProgress } from './classify.ts'
import { attemptFailed } from './failed.ts'
import { blameOf, type Blame, type FailureReason, type Outcome } from '../failure.ts'
import type { IncomingFields } from '../headers/fields.ts'
import type { HeldBody } from '../connections/held-body.ts'
import { retryAfter } from './retry-after.ts'
import type { Swept } from './time-limit-sweep.ts'

const noFields: IncomingFields = Object.freeze({})

/** What is known of an attempt: read by hooks, channels and the log; written by the attempt itself. */
export class AttemptRecord {
  readonly backend: Backend
  connection: CarryingConnection | undefined
  /** The body that waits for `100 Continue`. */
  held: HeldBody | undefined
  /** Refused before it was sent: see `ConnectionAware`. */
  refused = false
  controller: Dispatcher.DispatchController | undefined
  previousSwept: Swept | undefined
  nextSwept: Swept | undefined
  /** 1 for the first of its exchange. */
  readonly number: number
  /** Its backend was unhealthy, but all healthy ones had failed this request. */
  readonly lastResort: boolean
  /** Sent beside an attempt that was slow. Not yet known in `onPick`. */
  hedge = false
  /** A connection was ready: a byte of the request may have reached the backend. */
  started = false
  /** The whole request has been handed to the socket. */
  uploaded = false
  /** The connection had carried an earlier request. */
  reused = false
  /** On the exchange's clock, in ms; 0 = not yet. */
  startedAt = 0
  sentAt = 0
  /** When the first part of the body was handed over; 0 without a body. */
  writtenAt = 0
  /** When the whole body was handed over; 0 without a body. */
  uploadedAt = 0
  respondedAt = 0
  endedAt = 0
  /** The response's status; 0 before it has arrived. */
  status = 0
  /** The gRPC status of the response; undefined for any other, and before it is known: it may come after the body. */
  grpcStatus: StatusName | undefined
  /** The client has set a deadline of its own: when it passes, that does not count against the backend. */
  hasDeadline = false
  /** The response's header fields, by their names in lower case; empty before they have arrived. */
  headers: IncomingFields = noFields
  /** Its connection has switched to another protocol, and is a tunnel's. */
  upgraded = false
  /** Set once, when the attempt has ended. */
  outcome: Outcome | undefined
  error: unknown
  /** Body bytes. */
  bytesSent = 0
  bytesReceived = 0

  constructor(backend: Backend, number: number, lastResort = false) {
    this.backend = backend
    this.number = number
    this.lastResort = lastResort
  }

  /** Its response headers answer this call. */
  protected answers(call: RemoteCall): void {
    this.grpcStatus = call.statusIn(this.headers)
    this.hasDeadline = call.deadline !== undefined
  }

  /** True once it has ended. */
  get isOver(): boolean {
    return this.outcome !== undefined
  }

  /** It followed another attempt of its request: not as a hedge does, beside that. */
  get isRetry(): boolean {
    return this.number > 1 && !this.hedge
  }

  /** Its backend has failed: see `attemptFailed`. */
  get failed(): boolean {
    return attemptFailed(this)
  }

  /** Whose fault the failure is; undefined if it did not fail. */
  get blame(): Blame | undefined {
    return blameOf(this.outcome)
  }

  /**
   * The status by which the backend is judged: of HTTP, or what its gRPC status means there (as Envoy maps it). 499, a
   * status that no backend sends, is about the client: it has cancelled, or its own deadline has passed.
   */
  get effectiveStatus(): number {
    const { status, grpcStatus } = this
    if (grpcStatus === undefined || status !== 200) return status
    return grpcStatus === 'DEADLINE_EXCEEDED' && this.hasDeadline ? 499 : httpStatusOf(grpcStatus)
  }

  /**
   * Since when the client has been waiting for the backend, on the exchange's clock in ms: since the backend had the
   * whole request. Before a connection is ready: since the attempt began. Undefined while the client uploads.
   */
  get askedAt(): number | undefined {
    return this.started && !this.uploaded ? undefined : Math.max(this.startedAt, this.uploadedAt)
  }

  /** True if the whole request timed out and this backend had it for most of the time since `since` (ms). */
  wasSlow(reason: FailureReason, since: number, now: number): boolean {
    const { started, status, askedAt } = this
    if (reason !== 'request-timeout' || !started || status !== 0 || askedAt === undefined) return false
    return now - askedAt >= askedAt - since
  }

  protected respond(status: number, headers: IncomingFields, now: number): void {
    this.status = status
    this.headers = headers
    this.respondedAt = now
    // Also a response that is refused: attempts that have ended are counted by their status, too.
    countStatus(this.backend.responses, status)
  }

  protected countSent(bytes: number, clock: Clock): void {
    // undici writes the head together with the first part of the body.
    if (this.bytesSent === 0) this.writtenAt = clock.now()
    this.bytesSent += bytes
    this.backend.bytesSent += bytes
  }

  protected countReceived(bytes: number): void {
    this.bytesReceived += bytes
    this.backend.bytesReceived += bytes
  }

  /** Why it failed, when this error came. */
  reasonOf(error: unknown, now: number, connection: CarryingConnection | undefined): FailureReason {
    // Only on a new connection, and before a response, is an error of TLS one of the handshake.
    const ofHandshake = this.reused || this.status !== 0 ? undefined : tlsReasonOf(error)
    return ofHandshake ?? classify(error, this.progress(now, connection))
  }

  /** What `classify` needs when the connection breaks. */
  progress(now: number, connection: CarryingConnection | undefined): AttemptProgress {
    return {
      started: this.started,
      responded: this.status !== 0,
      reused: this.reused,
      written: connection?.written !== false,
      sentFor: now - Math.max(this.sentAt, this.writtenAt),
      roundTrip: connection?.roundTrip ?? 0,
    }
  }

  /**
   * Response time in ms: from the end of the request to the response headers. 0 before they have arrived, and if the
   * backend answered before it had the whole request.
   */
  get responseTime(): number {
    const { askedAt } = this
    return askedAt === undefined || this.respondedAt === 0 ? 0 : Math.max(0, this.respondedAt - askedAt)
  }

  /**
   * How long the backend asks for a pause, in ms, by its `Retry-After` at `now` (ms since the epoch). Never negative,
   * may be Infinity; undefined without one, or if it cannot be parsed.
   */
  retryAfter(now: number = Date.now()): number | undefined {
    return retryAfter(this.headers['retry-after'], now)
  }
}
