import type { IncomingMessage } from 'node:http'
import type { Server, Socket } from 'node:net'
import { hasTls } from './listener/server-kind.ts'

/** The fields without `Upgrade`: then the request is an ordinary one. */
function ordinaryHead({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() !== 'upgrade') head += `${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`
  }
  return Buffer.from(`${head}\r\n`, 'latin1')
}

/**
 * Gives a request back to Node's HTTP server that has taken it for an upgrade: it is parsed once more, as an ordinary one,
 * with its body and with what comes behind. Needed before Node 24.9, which can be asked first.
 */
export function parseAgain(server: Server, request: IncomingMessage, socket: Socket, head: Buffer): void {
  socket.removeAllListeners('timeout')
  socket.unshift(Buffer.concat([ordinaryHead(request), head]))
  // The event with which Node's HTTP server gets a connection: behind its own TLS, another one.
  server.emit(hasTls(server) ? 'secureConnection' : 'connection', socket)
  // It was paused if it had to wait for its turn.
  socket.resume()
}
