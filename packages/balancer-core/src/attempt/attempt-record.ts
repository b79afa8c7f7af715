import type { Backend } from '../backends/backend.ts'
import type { CarryingConnection } from '../connections/request-pool.ts'
import { blameOf, type AttemptProgress, type Blame, type FailureReason, type Outcome } from '../failure.ts'
import type { IncomingFields } from '../headers/fields.ts'
import { retryAfter } from './retry-after.ts'

const noFields: IncomingFields = Object.freeze({})

/** What is known of an attempt: read by hooks, channels and the log; written by the attempt itself. */
export class AttemptRecord {
  readonly backend: Backend
  /** 1 for the first of its exchange. */
  readonly number: number
  /** Its backend was vetoed, but everybody else had failed. */
  readonly lastResort: boolean
  /** A connection was ready: a byte of the request may have reached the backend. */
  started = false
  /** The whole request has been handed to the socket. */
  uploaded = false
  /** The connection had carried an earlier request. */
  reused = false
  /** On the exchange's clock, in ms; 0 = has not happened. */
  startedAt = 0
  sentAt = 0
  /** The first of its body has been handed over; 0 if it has none. */
  writtenAt = 0
  /** Its body has been handed over; 0 if it has none. */
  uploadedAt = 0
  respondedAt = 0
  endedAt = 0
  /** The response's status; 0 before it has arrived. */
  status = 0
  /** The response's header fields, by their names in lower case; empty before they have arrived. */
  headers: IncomingFields = noFields
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

  /** It has ended. */
  get isOver(): boolean {
    return this.outcome !== undefined
  }

  /** Whose fault its failure is; undefined if it did not fail. */
  get blame(): Blame | undefined {
    return blameOf(this.outcome)
  }

  /**
   * Since when the backend keeps its client waiting, and not the other way round, on the exchange's clock in ms: since it
   * had the whole request. Before a connection is ready, since the attempt began; undefined while the client uploads.
   */
  get askedAt(): number | undefined {
    return this.started && !this.uploaded ? undefined : Math.max(this.startedAt, this.uploadedAt)
  }

  /** It is the whole request that has taken too long since `since`, and most of that time its backend had it (ms). */
  wasSlow(reason: FailureReason, since: number, now: number): boolean {
    const { started, status, askedAt } = this
    if (reason !== 'request-timeout' || !started || status !== 0 || askedAt === undefined) return false
    return now - askedAt >= askedAt - since
  }

  /** What can be told from when its connection breaks. */
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
   * How long the backend took to answer, in ms: from when it had the whole request until the headers of its response. 0
   * before they have arrived, and if it did not wait for the whole request.
   */
  get responseTime(): number {
    const { askedAt } = this
    return askedAt === undefined || this.respondedAt === 0 ? 0 : Math.max(0, this.respondedAt - askedAt)
  }

  /**
   * For how many ms the backend asks to be left alone, by its `retry-after` at `now` (ms since the epoch). Never negative,
   * maybe Infinity; undefined if it does not say, or cannot be understood.
   */
  retryAfter(now: number = Date.now()): number | undefined {
    return retryAfter(this.headers['retry-after'], now)
  }
}
