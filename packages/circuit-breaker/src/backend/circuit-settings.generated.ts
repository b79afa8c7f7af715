// Written by `node test/option-types.ts --write` from the schema in circuit-settings.ts: change that one.
import type { RateOptions } from '../trip/rate-options.ts'

/** What may be otherwise for one backend. */
export interface BackendCircuitOptions {
  /**
   * Opens after this many failures in a row; 0 = off
   * @default 3
   */
  failures?: number
  /**
   * Failures further apart than this do not count as consecutive (ms; 0 = none)
   * @default 10000
   */
  window?: number | false
  /**
   * Also opens at a share of failed or slow requests: `{ calls, time, minimumCalls, failureShare, slowShare, slowAfter
   * }`
   * @default false
   */
  rate?: RateOptions | boolean
  /**
   * Response statuses that count as failures. A 503 with `Retry-After` counts neither as success nor as failure; nor
   * does a 429, unless it is listed. A gRPC status counts as the HTTP status that means the same: `UNAVAILABLE` as 503,
   * `INTERNAL`, `UNKNOWN` and `DATA_LOSS` as 500
   * @default [502, 503, 504]
   */
  statuses?: readonly number[]
  /**
   * How long the circuit stays open the first time (ms)
   * @default 10000
   */
  openFor?: number
  /**
   * Each further opening in a row lasts this many times as long
   * @default 2
   */
  growth?: number
  /**
   * Longest opening, unless `openFor` is longer (ms)
   * @default 300000
   */
  maxOpenFor?: number
  /**
   * Random variation of these times: 0.1 = ±10 %
   * @default 0.1
   */
  jitter?: number
  /**
   * Half-open: trial requests at once
   * @default 1
   */
  trials?: number
  /**
   * Half-open: closes after this many successful trials
   * @default 1
   */
  needed?: number
  /**
   * Half-open: a trial that takes longer has failed (ms; 0 = none)
   * @default 30000
   */
  trialTimeout?: number | false
}
