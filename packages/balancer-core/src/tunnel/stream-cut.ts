import type { Http2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { cancel } from '../connections/http2/http2-stream.ts'

/** Cuts one side of a tunnel. Over HTTP/2, CANCEL tells it from a clean end (RFC 8441 §5). */
export function cut(stream: Duplex): void {
  if ('rstCode' in stream && !stream.destroyed) cancel(stream as Http2Stream)
  else stream.destroy()
}
