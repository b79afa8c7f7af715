import { constants, type ServerHttp2Stream } from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Over HTTP/2, asks a client that is still sending to stop once it has its whole response (RST_STREAM with NO_ERROR, RFC 9113
 * §8.1): nobody reads the rest, and the stream would stay open until the client gives up.
 */
export function stopUploadAfter(raw: ServerResponse): void {
  const { stream } = raw as ServerResponse & { readonly stream?: ServerHttp2Stream }
  if (stream === undefined) return
  stream.once('finish', () => {
    if (!(raw.req as IncomingMessage).complete) stream.close(constants.NGHTTP2_NO_ERROR)
  })
}
