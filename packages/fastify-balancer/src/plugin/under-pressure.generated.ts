// Written by `node test/option-types.ts --write` from the schema in under-pressure.ts: change that one.
/** When requests are shed, for the process is overloaded: everything optional. */
export interface UnderPressureOptions {
  /**
   * Requests get 503 while the event loop delay is above this (ms); 0 = no limit
   * @default 1000
   */
  maxEventLoopDelay?: number | false
  /**
   * Likewise while the event loop utilization is above this (0–1); 0 = no limit
   * @default 0
   */
  maxEventLoopUtilization?: number | false
  /**
   * Likewise while the used heap is larger (bytes); 0 = no limit
   * @default 0
   */
  maxHeapUsedBytes?: number | false
  /**
   * Likewise while the resident memory (RSS) is larger (bytes); 0 = no limit
   * @default 0
   */
  maxRssBytes?: number | false
  /**
   * How often these are measured (ms)
   * @default 1000
   */
  sampleInterval?: number
  /**
   * `Retry-After` of those responses (s)
   * @default 10
   */
  retryAfter?: number
}
