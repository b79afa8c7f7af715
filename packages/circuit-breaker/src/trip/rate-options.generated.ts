// Written by `node test/option-types.ts --write` from the schema in rate-options.ts: change that one.
/** The option `rate`, in part. */
export interface RateOptions {
  /**
   * Window: this many latest requests
   * @default 100
   */
  calls?: number
  /**
   * Window: the requests that ended within this time; replaces `calls` (ms)
   * @default none
   */
  time?: number
  /**
   * With fewer requests in the window the circuit stays closed; a full window of `calls` is always enough
   * @default 20
   */
  minimumCalls?: number
  /**
   * Opens at this share of failed requests (above 0, up to 1)
   * @default 0.5
   */
  failureShare?: number
  /**
   * Opens at this share of slow requests (above 0, up to 1)
   * @default 1
   */
  slowShare?: number
  /**
   * A request is slow if the response headers come later than this after the end of the request (ms; 0 = none)
   * @default 0
   */
  slowAfter?: number | false
}
