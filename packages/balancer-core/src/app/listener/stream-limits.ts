import type { FastifyInstance } from 'fastify'
import type { Http2Session } from 'node:http2'
import type { Server } from 'node:http'
import { connectionWindow, streamSettings } from './listener-defaults.ts'
import { hasTls, speaksHttp2 } from './server-kind.ts'
import { optionsOf } from './server-options.ts'

/** The connection window of Node, as RFC 9113 §6.9.2 has it (bytes). */
const initialWindow = 65_535

function widen(session: Http2Session): void {
  // Unless a listener of the app has done so.
  if (session.state.localWindowSize === initialWindow) session.setLocalWindowSize(connectionWindow)
}

/** Time limits for HTTP/1.1 (ms). */
interface Http1Times {
  keepAliveTimeout?: number
  keepAliveTimeoutBuffer?: number
  requestTimeout?: number
}

const limited = new WeakSet<object>()

/**
 * Sets what a plugin can set on a server that takes HTTP/2, where the app has left it to Node: how many streams a client may
 * have, and windows that are wide enough. And for HTTP/1.1 beside it, the time limits that Fastify sets elsewhere.
 */
export function limitStreams(app: FastifyInstance, server: Server): void {
  if (!speaksHttp2(server) || limited.has(server)) return
  limited.add(server)
  ;(server as Server).on('session', widen)
  const options = optionsOf(server)
  if (options === undefined) return
  server.updateSettings({ ...streamSettings, ...options.settings })
  if (!hasTls(server) || options.allowHTTP1 !== true) return
  const { keepAliveTimeout, requestTimeout } = app.initialConfig as Http1Times
  const given = { ...options, ...options.http1Options } as Http1Times
  const times = server as unknown as Http1Times
  // Without them, Node 22 keeps idle connections for ever, and each Node cuts uploads off after 5 minutes.
  if (given.requestTimeout === undefined && requestTimeout !== undefined) times.requestTimeout = requestTimeout
  if (given.keepAliveTimeout !== undefined || keepAliveTimeout === undefined) return
  times.keepAliveTimeout = keepAliveTimeout
  // Node adds it, and Node 22 has none for these servers: the sum would not be a number, and throw.
  times.keepAliveTimeoutBuffer ??= 1000
}
