// Written by `node test/option-types.ts --write` from the schema in options.ts: change that one.
import type { Store } from './store/store.ts'

/** How this process takes part: everything optional. */
export interface FleetOptions {
  /** Where the instances share what must be one, a `Store`. Default: the parent process, if it is one of ours */
  store?: Store
  /** Name of this instance, unlike all others. Default: host and process id */
  id?: string
  /**
   * How often an instance says that it is there; it is forgotten after five times that (ms)
   * @default 1000
   */
  heartbeat?: number
  /**
   * `maxInFlight` and adaptive limits say what a backend can take of all instances together: each gets its share, and
   * more if others need less. `false`: each instance may have as many in flight as if it were alone
   * @default true
   */
  divideLimits?: boolean
}
