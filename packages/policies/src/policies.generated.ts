// Written by `node test/option-types.ts --write` from the schema in policies.ts: change that one.
import type { PolicyOption } from '@fastify-balancer/balancer-core'

/** What may stand beside `name: 'peak-ewma'`: everything that has a default is optional. */
export interface PeakEwmaSettings {
  /**
   * How long a slow response counts: the time constant of the mean (ms)
   * @default 10000
   */
  decay?: number
  /**
   * The response time that a failure counts as (ms; 0 = none)
   * @default 5000
   */
  penalty?: number | false
}

/** What may stand beside `name: 'sticky'`: everything that has a default is optional. */
export interface StickySettings {
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
   * How a backend is chosen for new clients, as in `policy`
   * @default 'round-robin'
   */
  policy?: PolicyOption
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
   * How long a client keeps the cookie, from when it was bound; without one, until the browser closes (ms; 0 = none)
   * @default 0
   */
  maxAge?: number | false
}

declare module '@fastify-balancer/balancer-core' {
  interface PolicySettings {
    'peak-ewma': PeakEwmaSettings
    sticky: StickySettings
  }
}
