import { connect, type ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Connect } from '../connection.ts'
import type { Retiring } from '../address-following.ts'
import { largestHeader } from './http2-fields.ts'

/** How one backend is connected to. */
export interface ConnectionSettings {
  readonly url: URL
  /** Opens sockets for a connection, and lets it retire when its address is not the backend's any more. */
  connectorFor(connection: Retiring): Connect
  /** Until the backend's SETTINGS have arrived, in ms; 0 = for ever. */
  readonly connectTimeout: number
  /** How long it is kept without a stream, in ms. */
  readonly keepAliveTimeout: number
  /** The largest header of a response, in bytes; at most `largestHeader`. */
  readonly maxHeaderSize: number
  /** The time, in ms from anywhere. */
  now(): number
}

/** What a paused stream may hold, and what may be on its way to all streams of a connection, in bytes. */
const streamWindow = 131_072
const connectionWindow = 1_048_576

/** Begins to speak HTTP/2 over a socket that is connected. */
export function beginSession(url: URL, socket: Socket): ClientHttp2Session {
  const session = connect(url, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: streamWindow, maxHeaderListSize: 2 * largestHeader },
    // Megabytes. What it holds is bounded by the windows; Node's 10 would refuse responses while much is being sent.
    maxSessionMemory: 256,
    maxHeaderListPairs: 2000,
  })
  session.on('connect', () => {
    if (!session.destroyed) session.setLocalWindowSize(connectionWindow)
  })
  return session
}
