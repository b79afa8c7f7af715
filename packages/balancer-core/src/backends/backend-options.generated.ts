// Written by `node test/option-types.ts --write` from the schema in backend-options.ts: change that one.
/** One backend, as options describe it. */
export interface BackendOptions {
  /** Its origin: `http://` or `https://`, host, port; no path */
  url: string
  /** Its name; the origin if none is given */
  id?: string
  /**
   * Its share of the traffic, relative to the others
   * @default 1
   */
  weight?: number
  /**
   * Lower is preferred; higher ones are used when no lower one is available, or all of those have failed a request
   * @default 0
   */
  priority?: number
  /** Requests at once; as many as `pool.connections` if not given, and never more over HTTP/1.1 */
  maxInFlight?: number
  /**
   * Where it runs; shown, and there for a policy of your own
   * @default none
   */
  zone?: string
  /**
   * Labels; shown, and there for a policy of your own
   * @default none
   */
  tags?: readonly string[]
}
