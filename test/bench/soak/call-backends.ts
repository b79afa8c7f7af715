import { constants, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { contentType, message, service, wantedStatus } from './call.ts'
import { FickleServer } from './fickle-server.ts'
import type { CallPart } from './parts.ts'

const head = { ':status': 200, 'content-type': contentType }

/** Begins the response; its end will be a status. */
function begin(stream: ServerHttp2Stream): void {
  stream.respond(head, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
}

/** Once the request is complete, unless it has been cancelled by then. */
function afterRequest(stream: ServerHttp2Stream, answer: () => void): void {
  stream.resume().once('end', () => {
    if (!stream.closed) answer()
  })
}

function echo(stream: ServerHttp2Stream): void {
  begin(stream)
  stream.pipe(stream)
}

const acts: Record<CallPart, (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void> = {
  'call-unary'(stream) {
    afterRequest(stream, () => {
      begin(stream)
      stream.end(message)
    })
  },
  'call-stream': echo,
  'call-refused'(stream, headers) {
    afterRequest(stream, () => {
      stream.respond({ ...head, 'grpc-status': headers[wantedStatus] }, { endStream: true })
    })
  },
  'call-cancelled': (stream) => void stream.resume(),
  'call-stream-cancelled': echo,
  'call-stream-left': echo,
  'call-late': (stream) => void stream.resume(),
  'call-stream-late': echo,
  'call-stream-reset'(stream) {
    begin(stream)
    stream.once('data', () => stream.write(message, () => stream.close(constants.NGHTTP2_INTERNAL_ERROR)))
  },
}

/** A backend of gRPC without TLS that does what the method says. */
export function fickleCallBackend(): FickleServer {
  const server = createServer()
  server.on('sessionError', () => {})
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => {})
    if (!stream.closed) acts[headers[':path']!.slice(service.length + 1) as CallPart](stream, headers)
  })
  return new FickleServer(server)
}
