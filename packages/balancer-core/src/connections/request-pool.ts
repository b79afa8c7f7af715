// Room `connections`: what carries requests to one backend, and what has to be seen to on the wire.
import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import type { HeldBody } from './held-body.ts'

/** What a request asks of the connection that carries it. */
export interface CarryingConnection {
  /** Connected, and nothing has been sent over it. */
  fresh: boolean
  /** The least that a packet has been seen to take to the backend and back (ms). */
  readonly roundTrip: number
  /** Some of the current request has left for the backend. */
  readonly written: boolean
  /** The `content-length` of a response whose body is so long that it does not go through undici, which was told of one byte. */
  readonly longLength?: string | undefined
  /** Of such a body, parts may be given in memory that is used again: to `onBorrowed`. */
  lends?: boolean
  /** The response was paused, and goes on. */
  resumed?(): void
  /** A request is about to be written. */
  requestBegins(): void
  /** Its response has come to its end. */
  responseEnded(): void
  /** From now on it carries only what comes over this connection of a client; nothing more at all if there is none. */
  bindTo(client: Socket | undefined): void
  /** The request that it carries, and that was not begun, is not wanted any more. */
  abandon(): void
}

/** A handler that wants to know which connection carries it, and what its pool has made of it. */
export interface ConnectionAware extends Dispatcher.DispatchHandler {
  connection: CarryingConnection | undefined
  /** undici did not take the request: set by the handler when it hears of that. */
  readonly refused: boolean
  /** Also while it waits for a connection, where its pool can let it go then. */
  controller: Dispatcher.DispatchController | undefined
  /** Taken back by its pool when the backend has said that it has not looked at the request. */
  started: boolean
  /** It has ended, whether it was carried or not. */
  readonly isOver: boolean
  /** The status of its final response; 0 before that. */
  readonly status: number
  /** Its body, if that is held back until the backend asks for it. */
  held: HeldBody | undefined
  onBodySent(chunk: Uint8Array): void
  onRequestSent(): void
  /** A part of the body, in memory that is used again once this returns: false if it was kept, so that other memory is needed. */
  onBorrowed(chunk: Buffer): boolean
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
