import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientHttp2Stream } from 'node:http2'
import { streamListenerOf, type ListenedStream } from './http2-stream.ts'

/** Node's channel for client streams: told within the call that closes one, before anything of it is thrown away. */
const channel = 'http2.client.stream.close'

/** It may be somebody else's stream. */
interface ClosingStream extends ClientHttp2Stream, Partial<Pick<ListenedStream, typeof streamListenerOf>> {
  /** No public property says that the end has come and has not been read. Where this one is missing, nothing is whole. */
  readonly _readableState?: { readonly ended: boolean }
}

function onStreamClose(message: unknown): void {
  const { stream } = message as { readonly stream: ClosingStream }
  stream[streamListenerOf]?.onClosing(stream._readableState?.ended === true)
}

let watching = 0

/**
 * Lets the listener of every stream hear how it closes. Node says `end` for END_STREAM (RFC 9113 §5.1) and for RST_STREAM
 * with NO_ERROR alike, and nghttp2 takes both for the other side's end. Only in the moment of closing it shows: the one has
 * been put behind the data by then, the other will be. To be called once for each connection.
 */
export function watchStreamEnds(): void {
  if (watching++ === 0) subscribe(channel, onStreamClose)
}

/** Undoes one `watchStreamEnds`. */
export function unwatchStreamEnds(): void {
  if (--watching === 0) unsubscribe(channel, onStreamClose)
}
