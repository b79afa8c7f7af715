// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
import type { Reload } from './reload/reload-report.ts'
import type { FastifyRequest, onRequestHookHandler, preHandlerHookHandler } from 'fastify'

/** What `register` takes: everything optional, nested objects in part. */
export interface AdminRoutesOptions {
  /**
   * Where the routes are; the balancer forwards nothing that is below it
   * @default '/_balancer'
   */
  prefix?: string
  /**
   * Hooks that check who asks, before anything of the request is read: a function, or several
   * @default none
   */
  onRequest?: onRequestHookHandler | readonly onRequestHookHandler[]
  /**
   * Like `onRequest`, but after the body is parsed
   * @default none
   */
  preHandler?: preHandlerHookHandler | readonly preHandlerHookHandler[]
  /** Who may look */
  read?: {
    /**
     * Hooks that check who asks to look (besides those above)
     * @default none
     */
    onRequest?: onRequestHookHandler | readonly onRequestHookHandler[]
    /**
     * Like `onRequest`, but after the body is parsed
     * @default none
     */
    preHandler?: preHandlerHookHandler | readonly preHandlerHookHandler[]
  }
  /** Who may change something */
  operate?: {
    /**
     * Hooks that check who asks to change something (besides those above)
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
   * Host names at which the routes answer, e.g. `ops.example`, besides `localhost` and addresses; others get 403 (DNS
   * rebinding). Checked with `insecure`, and whenever given: give it (`[]` will do) if your hooks only look at
   * addresses
   */
  hosts?: readonly string[]
  /**
   * `/ready` and `/live` answer without hooks, for an orchestrator that cannot sign in
   * @default false
   */
  openProbes?: boolean
  /**
   * Backends that may be added: networks (`10.0.0.0/8`) and hosts (`*.internal`, `10.0.0.1:3000`,
   * `https://api.internal`, which is port 443 alone); anything, if not given
   */
  allow?: readonly string[]
  /**
   * Other origins whose pages may change something, e.g. `https://ops.example`
   * @default []
   */
  origins?: readonly string[]
  /** Who it was, for the audit; `id`, `name`, `username` or `sub` of `request.user` if not given */
  user?: (request: FastifyRequest) => string | undefined
  /**
   * `async ({ dryRun, force, who }) => report`: reads the configuration again, for `POST /reload`; given by the command
   * that runs a file
   */
  reload?: Reload
  /** The stream of events */
  events?: {
    /**
     * Number of recent events kept for replay to a client that comes back
     * @default 1000
     */
    keep?: number
    /**
     * A comment is sent so often, for whoever closes silent connections (ms; 0 = none)
     * @default 15000
     */
    heartbeat?: number | false
    /**
     * A browser that has lost its stream comes back after so long (ms)
     * @default 3000
     */
    reconnect?: number
    /**
     * No more than about this waits for a client that reads slowly (bytes); it is cut when it falls too far behind
     * @default 262144
     */
    maxQueued?: number
    /**
     * So many clients at once
     * @default 100
     */
    maxStreams?: number
  }
  /**
   * A file that keeps lists and states that were changed here, so that they survive a restart
   * @default none
   */
  persist?: string
  /**
   * A body may have so many bytes
   * @default 1048576
   */
  bodyLimit?: number
}
