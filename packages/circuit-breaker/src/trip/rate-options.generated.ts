// Written by `node test/option-types.ts --write` from the schema in rate-options.ts: change that one.
/** The option `rate`, in part. */
export interface RateOptions {
  /**
   * The window: the last so many attempts
   * @default 100
   */
  calls?: number
  /**
   * Or those that ended no longer ago than this, in place of `calls` (ms)
   * @default none
   */
  time?: number
  /**
   * Fewer attempts in the window decide nothing; as many as `calls` always do
   * @default 20
   */
  minimumCalls?: number
  /**
   * Opens at this share of failures (above 0, up to 1)
   * @default 0.5
   */
  failureShare?: number
  /**
   * Opens at this share of slow attempts (above 0, up to 1)
   * @default 1
   */
  slowShare?: number
  /**
   * Slow is what takes longer from the end of the request to the headers of the response (ms; 0 = none)
   * @default 0
   */
  slowAfter?: number | false
}
