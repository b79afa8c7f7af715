import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Part } from './parts.ts'

const body = Buffer.alloc(64 * 1024, 'x')
const half = body.subarray(0, body.length / 2)
const small = Buffer.alloc(100, 'x')

const acts: Record<Part, (request: IncomingMessage, response: ServerResponse) => void> = {
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
}

/** Starts backends that do what the path says. Answers their ports. */
export async function startFickleBackends(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () =>
    createServer((request, response) => {
      request.on('error', () => {})
      acts[request.url!.slice(1) as Part](request, response)
    }).listen(0, '127.0.0.1'),
  )
  await Promise.all(servers.map((server) => once(server, 'listening')))
  return servers.map((server) => (server.address() as AddressInfo).port)
}
