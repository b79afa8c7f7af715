// Room `connections`: the connections to one backend, and corrections of what undici gets wrong on them.
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { HeldBody } from './held-body.ts'

/** What a request needs to know of its connection. */
export interface CarryingConnection {
  /** New: nothing has been sent over it. */
  fresh: boolean
  /** Shortest round trip seen so far (ms). */
  readonly roundTrip: number
  /** Part of the current request has been sent. */
  readonly written: boolean
  /** The `content-length` of a response whose body is so long that it does not go through undici, which was told of one byte. */
  readonly longLength?: string | undefined
  /** Of such a body, parts may be given in memory that is used again: to `onBorrowed`. */
  lends?: boolean
  /** The response was paused, and goes on. */
  resumed?(): void
  /** A request is about to be written. */
  requestBegins(): void
  /** Its response has ended. */
  responseEnded(): void
  /** From now on it carries only requests of this client connection; no more at all if undefined. */
  bindTo(client: Socket | undefined): void
  /** Its request, which was not started, is cancelled. */
  abandon(): void
}

/** A connection that can be retired: it finishes its request, takes no more, and closes. */
export interface Retiring {
  retire(): void
}

/** A handler that wants to know its connection and how its pool handled it. */
export interface ConnectionAware extends Dispatcher.DispatchHandler {
  connection: CarryingConnection | undefined
  /** Set by the handler when undici refused the request. */
  readonly refused: boolean
  /** Also called while it waits for a connection, if its pool can cancel it then. */
  controller: Dispatcher.DispatchController | undefined
  /** Reset by the pool when the backend says that it has not processed the request. */
  started: boolean
  /** True once it has ended, sent or not. */
  readonly isOver: boolean
  /** The status of its final response; 0 before that. */
  readonly status: number
  /** Its body, if it is held back until the backend asks for it. */
  held: HeldBody | undefined
  onBodySent(chunk: Uint8Array): void
  onRequestSent(): void
  /** The backend has switched protocols: this stream is now the handler's. `head` has come behind the response. */
  onUpgrade(status: number, headers: Record<string, string | string[]>, stream: Duplex, head: Buffer): void
  /** A part of the body, in memory that is used again once this returns: false if it was kept, so that other memory is needed. */
  onBorrowed(chunk: Buffer): boolean
}

/** Figures of a pool: idle connections, waiting requests, requests in progress. */
export interface PoolCounts {
  readonly connected: number
  readonly free: number
  /** Waiting for their connection to open. */
  readonly pending: number
  /** Waiting for a connection. */
  readonly queued: number
  readonly running: number
  /** Requests that its open connections carry at once: over HTTP/2, the streams that the backend allows. Default: one each. */
  readonly allowed?: number
}

/** Sends requests to one backend. */
export interface RequestPool {
  readonly stats: PoolCounts
  /** True once it was destroyed. */
  readonly destroyed: boolean
  /** As in undici: the handler is told of every outcome. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean
  /** Resolves once its requests have ended. */
  close(): Promise<void>
  /** Aborts everything now. */
  destroy(): Promise<void>
}
