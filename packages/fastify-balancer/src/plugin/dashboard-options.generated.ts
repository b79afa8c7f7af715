// Written by `node test/option-types.ts --write` from the schema in dashboard-options.ts: change that one.
import type { onRequestHookHandler } from 'fastify'

/** What of the page can be chosen here; the rest follows from the admin routes. */
export interface FacadeDashboardOptions {
  /** Path of the page; if not given, `dashboard` below the prefix of `admin` */
  path?: string
  /** Hooks that authenticate requests for the page; if not given, those of `admin` for reading */
  onRequest?: onRequestHookHandler | readonly onRequestHookHandler[]
  /** Allow access without authentication; if not given, as `admin` does */
  insecure?: boolean
  /** Allowed values of `Host`; if not given, those of `admin` */
  hosts?: readonly string[]
}
