// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
import type { onRequestHookHandler } from 'fastify'

/** What `register` takes: everything optional. */
export interface DashboardOptions {
  /**
   * Path of the page
   * @default '/_balancer/dashboard'
   */
  path?: string
  /**
   * The `prefix` of the admin routes. The page calls them with the credentials of its viewer
   * @default '/_balancer'
   */
  admin?: string
  /**
   * Hooks that authenticate requests for the page and all its files: a function, or an array of functions
   * @default none
   */
  onRequest?: onRequestHookHandler | readonly onRequestHookHandler[]
  /**
   * Allow access to the page without authentication. Its data comes from the admin routes, which keep their own hooks
   * @default false
   */
  insecure?: boolean
  /**
   * Allowed values of `Host` besides `localhost` and IP addresses; others get 403, against DNS rebinding. Checked if
   * given, and always with `insecure`
   */
  hosts?: readonly string[]
}
