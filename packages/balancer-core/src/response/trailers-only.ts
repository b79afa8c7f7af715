import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { HeaderFields } from '../headers/fields.ts'

/** A response over HTTP/2 has its stream; over HTTP/1.1 it has none. */
export function streamOf(raw: ServerResponse): ServerHttp2Stream | undefined {
  return (raw as { stream?: ServerHttp2Stream }).stream
}

function closeUnfinished(request: IncomingMessage, stream: ServerHttp2Stream): void {
  if (!request.complete && !stream.closed) stream.close(constants.NGHTTP2_NO_ERROR)
}

/**
 * Sends a response without a body: over HTTP/2 as headers that are the end. (Node's `writeHead` and `end` would send an
 * empty DATA frame behind them, which gRPC's clients take for an error.)
 */
export function sendTrailersOnly(raw: ServerResponse, status: number, fields: HeaderFields): void {
  const stream = streamOf(raw)
  if (stream === undefined) {
    raw.writeHead(status, { ...fields, 'content-length': '0' })
    raw.end()
    return
  }
  if (stream.destroyed || stream.headersSent) return
  stream.respond({ ...fields, ':status': status }, { endStream: true })
  raw.end()
  if (raw.req.complete) return
  // The rest of the request is not needed (RFC 9113 §8.1), and its stream would stay open for it. What has come is read,
  // so that most streams end by themselves; closed at once, it would drop the headers that are still to be written.
  raw.req.resume()
  setImmediate(closeUnfinished, raw.req, stream)
}
