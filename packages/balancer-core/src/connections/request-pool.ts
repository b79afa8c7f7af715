// Room `connections`: what a backend is spoken to over: one connection for each request, and what has to be seen to on the wire.
import type { Dispatcher } from 'undici'

/** How many connections are open and without a request; how many requests wait, for whom, and how many are under way. */
export interface PoolCounts {
  readonly connected: number
  readonly free: number
  /** For their connection to open. */
  readonly pending: number
  /** For a connection. */
  readonly queued: number
  readonly running: number
}

/** What sends requests to one backend. */
export interface RequestPool {
  readonly stats: PoolCounts
  /** Everything of it was ended. */
  readonly destroyed: boolean
  /** As undici's: whatever happens, the handler hears of it. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean
  /** Resolves once what it has been given has ended. */
  close(): Promise<void>
  /** Ends everything now. */
  destroy(): Promise<void>
}
