// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
import type { Reload } from './reload/reload-report.ts'
import type { Restart } from './schemas/restart.ts'
import type { FastifyRequest, onRequestHookHandler, preHandlerHookHandler } from 'fastify'

/** What `register` takes: everything optional, nested objects in part. */
export interface AdminRoutesOptions {
  /**
   * Path prefix of the routes; nothing below it is forwarded to backends
   * @default '/_balancer'
   */
  prefix?: string
  /**
   * Hooks that authenticate every request, before its body is read: a function, or an array of functions
   * @default none
   */
  onRequest?: onRequestHookHandler | readonly onRequestHookHandler[]
  /**
   * Like `onRequest`, but after the body is parsed
   * @default none
   */
  preHandler?: preHandlerHookHandler | readonly preHandlerHookHandler[]
  /** Further hooks for requests that only read */
  read?: {
    /**
     * Hooks that authenticate requests that only read, in addition to those above
     * @default none
     */
    onRequest?: onRequestHookHandler | readonly onRequestHookHandler[]
    /**
     * Like `onRequest`, but after the body is parsed
     * @default none
     */
    preHandler?: preHandlerHookHandler | readonly preHandlerHookHandler[]
  }
  /** Further hooks for requests that change something */
  operate?: {
    /**
     * Hooks that authenticate requests that change something, in addition to those above
     * @default none
     */
    onRequest?: onRequestHookHandler | readonly onRequestHookHandler[]
    /**
     * Like `onRequest`, but after the body is parsed
     * @default none
     */
    preHandler?: preHandlerHookHandler | readonly preHandlerHookHandler[]
  }
  /**
   * Allow access without authentication
   * @default false
   */
  insecure?: boolean
  /**
   * Allowed values of `Host` besides `localhost` and IP addresses, e.g. `ops.example`; others get 403, against DNS
   * rebinding. Checked if given, and always with `insecure`. Set it, at least to `[]`, if your hooks only check client
   * addresses
   */
  hosts?: readonly string[]
  /**
   * `/ready` and `/live` need no authentication, for orchestrators that cannot sign in
   * @default false
   */
  openProbes?: boolean
  /**
   * Backends that may be added: networks (`10.0.0.0/8`) and hosts (`*.internal`, `10.0.0.1:3000`,
   * `https://api.internal`, which is port 443 only), whatever their paths; and Unix sockets (`unix:/run/app.sock`),
   * which are never allowed otherwise. If not given, any with a host
   */
  allow?: readonly string[]
  /**
   * Other origins whose web pages may make changes, e.g. `https://ops.example`
   * @default []
   */
  origins?: readonly string[]
  /**
   * `(request) => string | undefined`: names the operator in the audit log. If not given: `id`, `name`, `username` or
   * `sub` of `request.user`
   */
  user?: (request: FastifyRequest) => string | undefined
  /**
   * `async ({ dryRun, force, who }) => report`: reloads the configuration, for `POST /reload`. The command with
   * `--config` sets it
   * @default none
   */
  reload?: Reload
  /**
   * `async ({ who }) => report`: replaces all worker processes, for `POST /server/restart`. `workers` in a file sets
   * it, and `workers()` gives it to a program
   * @default none
   */
  restart?: Restart
  /** The stream of events */
  events?: {
    /**
     * Number of recent events kept for replay to a reconnecting client
     * @default 1000
     */
    keep?: number
    /**
     * Interval of keep-alive comments on the event stream, so that proxies do not close it (ms; 0 = none)
     * @default 15000
     */
    heartbeat?: number | false
    /**
     * How long a browser waits before it reconnects to a lost stream (ms)
     * @default 3000
     */
    reconnect?: number
    /**
     * How much is queued at most for a client that reads slowly (bytes, roughly); if it falls further behind than
     * `keep` events, it is disconnected
     * @default 262144
     */
    maxQueued?: number
    /**
     * Event streams open at once; more get 503
     * @default 100
     */
    maxStreams?: number
  }
  /**
   * File that saves lists and states changed through these routes, so that they survive a restart
   * @default none
   */
  persist?: string
  /**
   * Largest request body (bytes)
   * @default 1048576
   */
  bodyLimit?: number
}
