// Room `connections`: what carries requests to one backend.
import type { Dispatcher } from 'undici'

/** What a request asks of the connection that carries it. */
export interface CarryingConnection {
  /** Connected, and nothing has been sent over it. */
  fresh: boolean
}

/** A handler that wants to know which connection carries it, and what its pool has made of it. */
export interface ConnectionAware {
  connection: CarryingConnection | undefined
  /** undici did not take the request: set by the handler when it hears of that. */
  refused: boolean
  /** Also while it waits for a connection, where its pool can let it go then. */
  controller: Dispatcher.DispatchController | undefined
  /** Taken back by its pool when the backend has said that it has not looked at the request. */
  started: boolean
}

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
