import { connect, type ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Connect } from '../connect.ts'
import type { Retiring } from '../request-pool.ts'
import { largestHeader } from './http2-fields.ts'
import type { PingSettings } from './ping-watch.ts'

/** How to connect to one backend. */
export interface ConnectionSettings extends PingSettings {
  readonly url: URL
  /** Opens sockets for a connection, which is retired when its address is no longer the backend's. */
  connectorFor(connection: Retiring): Connect
  /** Time limit until the backend's SETTINGS, in ms; 0 = none. */
  readonly connectTimeout: number
  /** How long an idle connection is kept, in ms. */
  readonly keepAliveTimeout: number
  /** Bytes that a backend may send ahead: on one stream, and on all streams of a connection together. */
  readonly streamWindow: number
  readonly connectionWindow: number
  /** How long a new connection is used, in ms; Infinity without a limit. */
  lifetime(): number
  /** The largest header of a response, in bytes; at most `largestHeader`. */
  readonly maxHeaderSize: number
  /** A monotonic clock, in ms. */
  now(): number
}

/** Most streams at once on one connection, even if the backend allows more; as in undici. */
export const mostStreams = 100

/** Begins to speak HTTP/2 over a socket that is connected. */
export function beginSession(
  { url, streamWindow, connectionWindow }: ConnectionSettings,
  socket: Socket,
): ClientHttp2Session {
  const session = connect(url, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: streamWindow, maxHeaderListSize: 2 * largestHeader },
    // In MB. Memory is bounded by the windows anyway; Node's 10 would refuse responses during large uploads.
    maxSessionMemory: 256,
    maxHeaderListPairs: 2000,
  })
  session.on('connect', () => {
    if (!session.destroyed) session.setLocalWindowSize(connectionWindow)
  })
  return session
}
