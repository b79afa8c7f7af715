// Written by `node test/option-types.ts --write` from the schema in under-pressure.ts: change that one.
/** When requests are shed, for the process is overloaded: everything optional. */
export interface UnderPressureOptions {
  /**
   * Shed requests while the event loop is late by more (ms); 0 = no limit
   * @default 1000
   */
  maxEventLoopDelay?: number | false
  /**
   * While it is busy for a larger part of the time (0–1); 0 = no limit
   * @default 0
   */
  maxEventLoopUtilization?: number | false
  /**
   * While the heap is larger (bytes); 0 = no limit
   * @default 0
   */
  maxHeapUsedBytes?: number | false
  /**
   * While the process is larger (bytes); 0 = no limit
   * @default 0
   */
  maxRssBytes?: number | false
  /**
   * How often it is measured (ms)
   * @default 1000
   */
  sampleInterval?: number
  /**
   * `retry-after` of what is shed (s)
   * @default 10
   */
  retryAfter?: number
}
