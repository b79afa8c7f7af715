// Written by `node test/option-types.ts --write` from the schema in dashboard-options.ts: change that one.
import type { onRequestHookHandler } from 'fastify'

/** What of the page can be chosen here; the rest follows from the admin routes. */
export interface FacadeDashboardOptions {
  /** Where the page is; `dashboard` below the prefix of `admin` if not given */
  path?: string
  /** Hooks that check who asks; those of `admin` for whoever may look if not given */
  onRequest?: onRequestHookHandler | readonly onRequestHookHandler[]
  /** Allow access without authentication; as `admin` does if not given */
  insecure?: boolean
  /** Host names at which the page answers; those of `admin` if not given */
  hosts?: readonly string[]
}
