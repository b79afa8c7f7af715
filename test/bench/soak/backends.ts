import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { FickleServer } from './fickle-server.ts'
import type { HttpPart } from './parts.ts'

const body = Buffer.alloc(64 * 1024, 'x')
const half = body.subarray(0, body.length / 2)
const event = 'data: x\n\n'
const small = Buffer.alloc(100, 'x')

const acts: Record<HttpPart, (request: IncomingMessage, response: ServerResponse) => void> = {
  plain(request, response) {
    request.resume().once('end', () => response.writeHead(200, { 'content-length': small.length }).end(small))
  },
  'abort-at-once': (request, response) => acts.plain(request, response),
  'abort-before-headers': (request) => void request.resume(),
  'abort-upload': (request) => void request.resume(),
  'abort-mid-body'(request, response) {
    request.resume()
    response.writeHead(200, { 'content-length': body.length }).write(half)
  },
  'reset-before-headers': (request) => void request.socket.resetAndDestroy(),
  'reset-mid-body'(request, response) {
    response.writeHead(200, { 'content-length': body.length })
    response.write(half, () => request.socket.resetAndDestroy())
  },
  'events-whole'(_request, response) {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event)
    setTimeout(() => response.end(event), 5)
  },
  'events-left': (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event),
  'tunnel-whole': refuse,
  'tunnel-left': refuse,
  'tunnel-reset': refuse,
  'tunnel-refused': refuse,
}

function refuse(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(403).end()
}

/** Sends everything back, or resets the connection at the first byte. */
function tunnel({ headers, url }: IncomingMessage, socket: Socket): void {
  socket.on('error', () => {})
  if (url === '/tunnel-refused')
    return void socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  const accept = createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  const fields = `upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept.digest('base64')}`
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`)
  if (url === '/tunnel-reset') socket.once('data', () => socket.resetAndDestroy())
  else socket.pipe(socket)
}

/** A backend that does what the path says. */
export function fickleBackend(): FickleServer {
  const server = createServer((request, response) => {
    request.on('error', () => {})
    acts[request.url!.slice(1) as HttpPart](request, response)
  })
  server.on('upgrade', (request, socket) => tunnel(request, socket as Socket))
  return new FickleServer(server)
}
