// Room `app/listener`: the servers that clients connect to, and their connections: limits, age, closing.
import { Server } from 'node:http'
import type { Http2SecureServer, Http2Server } from 'node:http2'
import { Server as SecureServer } from 'node:https'
import type { Server as NetServer, Socket } from 'node:net'
import { Server as TlsServer, type TLSSocket } from 'node:tls'

/** Does it take HTTP/2? With TLS, it may take HTTP/1.1 as well. */
export function speaksHttp2(server: NetServer): server is Http2Server | Http2SecureServer {
  return !(server instanceof Server || server instanceof SecureServer)
}

/** Is TLS its own affair? */
export function hasTls(server: NetServer): server is TlsServer {
  return server instanceof TlsServer
}

/** Calls `take` once for each connection of a client that speaks HTTP/1.1, after its TLS handshake. */
export function eachHttp1Connection(server: NetServer, take: (socket: Socket) => void): void {
  const taken = new WeakSet<Socket>()
  // One comes again when a request of it is parsed again.
  function takeOnce(socket: Socket): void {
    if (taken.has(socket)) return
    taken.add(socket)
    take(socket)
  }
  if (!hasTls(server)) {
    if (!speaksHttp2(server)) server.on('connection', takeOnce)
    return
  }
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol !== 'h2') takeOnce(socket)
  })
}

/** The same for those that speak HTTP/2. */
export function eachHttp2Connection(server: NetServer, take: (socket: Socket) => void): void {
  if (!speaksHttp2(server)) return
  if (!hasTls(server)) {
    ;(server as NetServer).on('connection', take)
    return
  }
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') take(socket)
  })
}
