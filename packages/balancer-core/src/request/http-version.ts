import { IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'

/** Does the request line of a connection of HTTP/1 name another version? Node's parser lets `HTTP/2.0` and `HTTP/0.9` pass. */
export function isForeignVersion(raw: IncomingMessage): boolean {
  const { httpVersion } = raw
  // What came over HTTP/2 is another class.
  return httpVersion !== '1.1' && httpVersion !== '1.0' && raw instanceof IncomingMessage
}

const body =
  '{"statusCode":505,"error":"HTTP Version Not Supported","message":"The version of the protocol is not supported"}'
const answer = [
  'HTTP/1.1 505 HTTP Version Not Supported',
  'connection: close',
  'content-type: application/json; charset=utf-8',
  `content-length: ${body.length}`,
  '',
  body,
].join('\r\n')

const watched = new WeakSet<Server>()

/** Versions at which the parser gives up get 505 as well (RFC 9110 §15.6.6), where Fastify would say 400. */
export function refuseVersions(server: Server): void {
  if (watched.has(server)) return
  watched.add(server)
  server.prependListener('clientError', ({ reason }: { reason?: string }, socket: Duplex) => {
    if (reason === 'Invalid HTTP version' && socket.writable) socket.end(answer)
  })
}
