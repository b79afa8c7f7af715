// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
/** How the limits of the backends of a balancer are found: everything optional. */
export interface AdaptiveLimitSettings {
  /**
   * `gradient2` lowers the limit of a backend when it takes longer to respond than without a queue of its own; `aimd`
   * only when requests fail or time out
   * @default 'gradient2'
   */
  algorithm?: 'gradient2' | 'aimd'
  /**
   * How many requests a new backend may have in flight, within its `maxInFlight`
   * @default 20
   */
  initial?: number
  /**
   * No limit falls below this many requests
   * @default 3
   */
  min?: number
  /**
   * How often a limit changes: at the end of each window in which at least 10 requests ended (ms)
   * @default 1000
   */
  window?: number
  /**
   * With `gradient2`: while responses take at most this many times as long as usual, the limit does not fall
   * @default 1.5
   */
  tolerance?: number
  /**
   * With `aimd`: an average response time above this counts as a failure (ms)
   * @default 5000
   */
  timeout?: number
}

/** What `register` takes: everything optional, nested objects in part. */
export interface AdaptiveLimitOptions extends AdaptiveLimitSettings {
  /** Name of the balancer. Default: the one called `default`, or the only one */
  balancer?: string
}
