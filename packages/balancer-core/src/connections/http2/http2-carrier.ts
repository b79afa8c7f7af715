import type { ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import type { Dispatcher } from 'undici'
import type { CarryingConnection, ConnectionAware } from '../request-pool.ts'

/** How a stream is opened: whether it ends with its fields, and whether trailers may follow its body. */
export interface StreamOptions {
  readonly endStream: boolean
  readonly waitForTrailers?: boolean
}

/** The connection that carries a request among others. */
export interface Http2Carrier<Request> extends CarryingConnection {
  /** Opens a stream. @throws Error if it takes none any more */
  open(fields: OutgoingHttpHeaders, options: StreamOptions): ClientHttp2Stream
  /** The request no longer needs its stream. */
  release(request: Request): void
  /** Why the connection itself has failed; undefined while it works. */
  readonly failure: Error | undefined
}

/** The handler of an attempt. */
export type Http2Handler = Dispatcher.DispatchHandler & Partial<ConnectionAware>

/** The type of headers in undici's handler. */
export type Received = Record<string, string | string[]>

/** Finds a connection for a request. */
export interface Http2Carrying<Request> {
  /** The largest header of a response, in bytes. */
  readonly maxHeaderSize: number
  /** It waits no longer. */
  withdraw(request: Request): void
  /** Tries it on another connection; false if there will be none. */
  takeAgain(request: Request): boolean
}
