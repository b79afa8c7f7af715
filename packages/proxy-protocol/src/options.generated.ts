// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
/** What `proxyProtocol` takes. */
export interface ProxyProtocolOptions {
  /**
   * The proxies in front: addresses and networks such as `10.0.0.0/8`, or `unix` for those that connect over a Unix
   * socket. Each of their connections must begin with a header; other connections must not
   */
  from: readonly string[]
  /**
   * How long a proxy may take to send the header (ms)
   * @default 5000
   */
  timeout?: number
}
