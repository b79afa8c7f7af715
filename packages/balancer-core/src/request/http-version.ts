import { IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'

/**
 * Does the request line of an HTTP/1 connection name another version? Node's parser accepts `HTTP/2.0` and `HTTP/0.9`.
 */
export function isForeignVersion(raw: IncomingMessage): boolean {
  const { httpVersion } = raw
  // HTTP/2 requests are of another class.
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

/** Versions that the parser rejects get 505 too (RFC 9110 §15.6.6); Fastify would answer 400. */
export function refuseVersions(server: Server): void {
  if (watched.has(server)) return
  watched.add(server)
  server.prependListener('clientError', ({ reason }: { reason?: string }, socket: Duplex) => {
    if (reason === 'Invalid HTTP version' && socket.writable) socket.end(answer)
  })
}
