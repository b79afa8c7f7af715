import { createServer as createHttp2Server, type Http2Server, type ServerOptions as Http2Options } from 'node:http2'
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from 'node:http2'
import type { RequestListener, ServerOptions } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer, type TlsOptions } from 'node:tls'
import type { FastifyBaseLogger } from 'fastify'

/** Options of Fastify of which it makes its servers. */
export interface ServerSettings {
  readonly logger?: FastifyBaseLogger
  readonly http?: ServerOptions | null
  readonly https?: (TlsOptions & ServerOptions) | boolean | null
  readonly http2?: boolean
  readonly http2SessionTimeout?: number
  readonly connectionTimeout?: number
  readonly keepAliveTimeout?: number
  readonly requestTimeout?: number
  readonly maxRequestsPerSocket?: number
}

/** The options for TLS, if it is on; what they hold of HTTP is for the servers of HTTP. */
export function tlsOptionsOf({ https }: ServerSettings): (TlsOptions & ServerOptions) | undefined {
  return https === true ? {} : https || undefined
}

/** Decrypts what comes in; negotiates HTTP/2 if it is on. It never listens. */
export function openTls(options: TlsOptions, { http2 }: ServerSettings): TlsServer {
  const ALPNProtocols = http2 === true ? ['h2', 'http/1.1'] : ['http/1.1']
  return createTlsServer({ ...(options.ALPNCallback === undefined && { ALPNProtocols }), ...options })
}

/** Speaks HTTP/2 with who is handed to it, as Fastify's own server would. It never listens. */
export function openHttp2(
  settings: ServerSettings,
  handler: RequestListener,
  sessions: Set<ServerHttp2Session>,
): Http2Server {
  // Fastify's handler takes requests of both kinds.
  const onRequest = handler as unknown as (request: Http2ServerRequest, response: Http2ServerResponse) => void
  const options = { ...settings.http, ...tlsOptionsOf(settings) } as Http2Options
  const server = createHttp2Server(options, onRequest)
  server.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
    session.setTimeout(settings.http2SessionTimeout ?? 0, () => session.close())
  })
  server.setTimeout(settings.connectionTimeout ?? 0)
  return server
}
