// Written by `node test/option-types.ts --write` from the schema in circuit-settings.ts: change that one.
import type { RateOptions } from '../trip/rate-options.ts'

/** What may be otherwise for one backend. */
export interface BackendCircuitOptions {
  /**
   * Opens after so many failures in a row; 0 = never for that
   * @default 3
   */
  failures?: number
  /**
   * Failures further apart than this do not count as consecutive (ms; 0 = none)
   * @default 10000
   */
  window?: number | false
  /**
   * Opens also at a share of failures or slow attempts: `{ calls, time, minimumCalls, failureShare, slowShare,
   * slowAfter }`
   * @default false
   */
  rate?: RateOptions | boolean
  /**
   * Response statuses that count as failures; 503 with `retry-after` counts neither as success nor as failure, nor does
   * 429 unless it is listed
   * @default [502, 503, 504]
   */
  statuses?: readonly number[]
  /**
   * How long it stays open the first time (ms)
   * @default 10000
   */
  openFor?: number
  /**
   * Each further time in a row is this many times as long
   * @default 2
   */
  growth?: number
  /**
   * No longer than this, unless `openFor` is longer (ms)
   * @default 300000
   */
  maxOpenFor?: number
  /**
   * Up to this share of that longer or shorter, at random
   * @default 0.1
   */
  jitter?: number
  /**
   * Half-open: so many attempts at once
   * @default 1
   */
  trials?: number
  /**
   * Half-open: closes after so many successes
   * @default 1
   */
  needed?: number
  /**
   * Half-open: what takes longer has failed (ms; 0 = none)
   * @default 30000
   */
  trialTimeout?: number | false
}
