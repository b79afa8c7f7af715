import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** The response that is under way on a connection, as Node has it. */
type Busy = Socket & { _httpMessage?: NodeJS.EventEmitter | null }

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
  if (socket.destroyed) return
  const busy = (socket as Busy)._httpMessage
  // The responses to requests before this one have not been sent yet.
  if (busy !== undefined && busy !== null) {
    busy.once('close', () => parseAgain(server, request, socket, head))
    return
  }
  socket.removeAllListeners('timeout')
  socket.unshift(Buffer.concat([ordinaryHead(request), head]))
  // The event with which Node's HTTP server gets a connection: behind TLS, another one.
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket)
}
