import { constants, type ServerHttp2Stream } from 'node:http2'
import type { ServerResponse } from 'node:http'

/** How often to look whether a response has left, where its client does not read (ms). */
const interval = 100

/** A reset would overtake a response whose end has not left yet: nghttp2 would drop that. */
function stop(stream: ServerHttp2Stream): void {
  if (stream.destroyed || stream.closed) return
  if (stream.state.localClose === 1) stream.close(constants.NGHTTP2_NO_ERROR)
  else setTimeout(stop, interval, stream).unref()
}

/**
 * Over HTTP/2, asks a client that is still sending to stop once it has its whole response (RST_STREAM with NO_ERROR, RFC 9113
 * §8.1): nobody reads the rest, and the stream would stay open until the client gives up.
 */
export function stopUploadAfter(raw: ServerResponse): void {
  const { stream } = raw as ServerResponse & { readonly stream?: ServerHttp2Stream }
  if (stream === undefined || stream.endAfterHeaders) return
  stream.once('finish', () => {
    // If something else has ended the stream, it is a tunnel's.
    if (raw.writableEnded && !raw.req.complete) setImmediate(stop, stream)
  })
}
