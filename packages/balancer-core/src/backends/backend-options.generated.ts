// Written by `node test/option-types.ts --write` from the schema in backend-options.ts: change that one.
/** One backend, as options describe it. */
export interface BackendOptions {
  /**
   * Its address: `http://` or `https://`, host and port; or `unix:/run/app.sock`. A path behind it, as in
   * `http://10.0.0.1:3000/base` or `unix:/run/app.sock:/base`, is put before the paths of all requests
   */
  url: string
  /** Its name, e.g. in the log. Default: its address */
  id?: string
  /**
   * Its share of the traffic, relative to the others
   * @default 1
   */
  weight?: number
  /**
   * Tier: 0 is used first. A higher tier gets traffic only when no backend of a lower one is healthy, or all of them
   * have failed a request
   * @default 0
   */
  priority?: number
  /** Most requests in flight at once. Default: `pool.connections`, which is also the limit over HTTP/1.1 */
  maxInFlight?: number
  /**
   * Where it runs, e.g. a data centre: for the policy `zones`, and shown in views
   * @default none
   */
  zone?: string
  /**
   * Labels, e.g. `canary` for the policy of that name; shown in views
   * @default none
   */
  tags?: readonly string[]
  /**
   * Its protocol, if it is not that of `pool`: `http1` = HTTP/1.1, `http2` = HTTP/2 over TLS, `h2c` = HTTP/2 without
   * TLS
   * @default none
   */
  protocol?: 'http1' | 'http2' | 'h2c'
  /**
   * TLS to this backend: options of `pool.tls`, laid over them one by one; but all that concern the CA, the client
   * certificate or the name take the place of all those of `pool.tls`. Never shown. A change of the list that does not
   * give it leaves it as it is; `{}` removes it
   * @default none
   */
  tls?: Record<string, unknown>
  /**
   * Each connection to it begins with a header of the PROXY protocol, version 1 or 2, that says who the client is. Then
   * a connection carries requests of one client connection only. Its server must expect that
   * @default none
   */
  proxyProtocol?: 'v1' | 'v2'
}
