import type { ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import type { CarryingConnection } from '../request-pool.ts'

/** The connection that carries a request among others. */
export interface Http2Carrier<Request> extends CarryingConnection {
  /** The backend takes extended CONNECT (RFC 8441 §3). */
  readonly takesConnect: boolean
  /** Opens a stream. @throws Error if it takes none any more */
  open(fields: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream
  /** The request no longer needs its stream. */
  release(request: Request): void
  /** Why the connection itself has failed; undefined while it works. */
  readonly failure: Error | undefined
}

/** Finds a connection for a request. */
export interface Http2Carrying<Request> {
  /** The largest header of a response, in bytes. */
  readonly maxHeaderSize: number
  /** It waits no longer. */
  withdraw(request: Request): void
  /** Its connection takes no extended CONNECT. */
  withoutConnect(request: Request): void
  /** Tries it on another connection; false if there will be none. */
  takeAgain(request: Request): boolean
}
