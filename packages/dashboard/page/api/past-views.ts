/** What the admin routes tell of the past, as far as the page reads it. */

/** Counts by class of status, e.g. `2xx`. */
export type ByClass<Count = number> = Readonly<Record<'2xx' | '3xx' | '4xx' | '5xx', Count>>

/** Counts by outcome, e.g. `ok` or `connect-refused`. */
export type ByOutcome = Readonly<Record<string, number>>

/** The queue for requests while every backend is at its limit. */
export interface QueueView {
  readonly waiting: number
  /** Most that may wait. */
  readonly max: number
  /** Refused since the start. */
  readonly refused: number
  /** Since when requests are being refused (ms since the epoch); absent while none are. */
  readonly refusingSince?: number
}

/** What a balancer has counted since the start. */
export interface TotalsView {
  /** Requests by outcome. */
  readonly outcomes: ByOutcome
}

type Column = readonly (number | null)[]

/** The past of a balancer in columns; null = nothing measured. */
export interface HistoryView {
  /** Until then, the last period has been measured. */
  readonly at: number
  /** Since when the process has measured. */
  readonly since: number
  /** Length of a period (ms). */
  readonly step: number
  /** Begin of each period. */
  readonly times: readonly number[]
  readonly totals: {
    readonly requests: Column
    readonly failed: Column
    readonly retries: Column
    readonly responses: ByClass<Column>
    readonly p50: Column
    readonly p95: Column
    readonly p99: Column
  }
  readonly backends: readonly {
    readonly id: string
    readonly attempts: Column
    readonly failed: Column
    readonly p95: Column
  }[]
}

/** An attempt of a request that failed. */
export interface FailedAttemptView {
  readonly backend: string
  readonly outcome: string
  readonly status?: number
  /** In ms. */
  readonly took: number
  /** Sent beside a slow one. */
  readonly hedge?: boolean
  /** Of the connection. */
  readonly error?: string
}

/** A request that failed. */
export interface FailureView {
  readonly at: number
  readonly method: string
  readonly path: string
  /** 0 if none was sent. */
  readonly status: number
  readonly outcome: string
  readonly blame: string
  /** In ms. */
  readonly took: number
  /** For how long it last waited in the queue (ms). */
  readonly waited?: number
  readonly attempts: readonly FailedAttemptView[]
}

/** The last requests that failed, the newest first. */
export interface FailuresView {
  readonly failures: readonly FailureView[]
}
