// No proxy at all: node:http2 answers calls of gRPC itself, each with a status in its trailers. Nobody who listens for
// HTTP/2 in Node can be cheaper.
import { createServer, type ServerHttp2Stream } from 'node:http2'
import type { Server } from 'node:http'
import { payload } from '../scenarios.ts'
import { serve } from './serve.ts'

const head = Buffer.alloc(5)
head.writeUInt32BE(100, 1)
const message = Buffer.concat([head, Buffer.from(payload(100))])

const server = createServer({ settings: { maxConcurrentStreams: 128 } })
server.on('stream', (stream: ServerHttp2Stream) => {
  stream.resume()
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(message)
  })
})
serve(server as unknown as Server)
