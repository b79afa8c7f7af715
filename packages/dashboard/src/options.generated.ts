// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
import type { onRequestHookHandler } from 'fastify'

/** What `register` takes: everything optional. */
export interface DashboardOptions {
  /**
   * Where the page is
   * @default '/_balancer/dashboard'
   */
  path?: string
  /**
   * The `prefix` of the admin routes, which the page asks with the credentials of who looks at it
   * @default '/_balancer'
   */
  admin?: string
  /**
   * Hooks that check who asks, for the page and everything below it: a function, or several
   * @default none
   */
  onRequest?: onRequestHookHandler | readonly onRequestHookHandler[]
  /**
   * Allow access to the page without authentication. What it shows, the admin routes still guard
   * @default false
   */
  insecure?: boolean
  /**
   * Host names at which the page answers, besides `localhost` and addresses; others get 403. Checked with `insecure`,
   * and whenever given
   */
  hosts?: readonly string[]
}
