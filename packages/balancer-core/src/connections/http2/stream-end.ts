import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientHttp2Stream } from 'node:http2'
import { streamListenerOf, type ListenedStream } from './http2-stream.ts'

/** Node's channel for client streams: published while a stream is being closed, before its data is dropped. */
const channel = 'http2.client.stream.close'

/** It may be a stream of other code. */
interface ClosingStream extends ClientHttp2Stream, Partial<Pick<ListenedStream, typeof streamListenerOf>> {
  /**
   * No public property tells that END_STREAM has arrived but was not read. If this one is missing, no response counts
   * as complete.
   */
  readonly _readableState?: { readonly ended: boolean }
}

function onStreamClose(message: unknown): void {
  const { stream } = message as { readonly stream: ClosingStream }
  stream[streamListenerOf]?.onClosing(stream._readableState?.ended === true)
}

let watching = 0

/**
 * Tells the listener of every stream how it closes. Node emits `end` for END_STREAM (RFC 9113 §5.1) as well as for
 * RST_STREAM with NO_ERROR, and nghttp2 treats both as the end. They differ only at the moment of closing: the end has
 * been queued behind the data by then in the first case, and not yet in the second. To be called once for each
 * connection.
 */
export function watchStreamEnds(): void {
  if (watching++ === 0) subscribe(channel, onStreamClose)
}

/** Undoes one `watchStreamEnds`. */
export function unwatchStreamEnds(): void {
  if (--watching === 0) unsubscribe(channel, onStreamClose)
}
