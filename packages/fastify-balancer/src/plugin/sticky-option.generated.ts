// Written by `node test/option-types.ts --write` from the schema in sticky-option.ts: change that one.
/** How clients stay with a backend: everything but `secret` is optional. */
export interface StickyOptions {
  /**
   * Secrets that the tokens are made with, the same on every instance: the first is used for new ones, all are
   * accepted. To change it, put the new one first and keep the old one as long as clients have its tokens
   */
  secret: readonly string[]
  /**
   * Name of the cookie with the token, `srv` unless `header` is given. Balancers that share a host name need different
   * ones
   */
  cookie?: string
  /**
   * Name of a header instead, for clients without cookies: responses tell them the token in it, and they send it back
   * in it
   * @default none
   */
  header?: string
  /**
   * When the backend of a client is unhealthy, in maintenance or removed: `redistribute` binds the client to another,
   * `fail` answers 503 and leaves it bound
   * @default 'redistribute'
   */
  whenGone?: 'redistribute' | 'fail'
  /**
   * `Secure` of the cookie; `auto` = for requests over HTTPS, by `request.protocol`
   * @default 'auto'
   */
  secure?: 'auto' | boolean
  /**
   * `SameSite` of the cookie
   * @default 'lax'
   */
  sameSite?: 'lax' | 'strict' | 'none'
  /**
   * `Path` of the cookie
   * @default '/'
   */
  path?: string
  /** `Domain` of the cookie; if not given, the one host name that was asked */
  domain?: string
  /**
   * How long a client keeps the cookie, from when it was bound, at most 400 days (ms); 0 = until the browser closes
   * @default 0
   */
  maxAge?: number
}
