import { constants, type ClientHttp2Stream, type Http2Stream } from 'node:http2'

/** The key under which a stream keeps its listener. */
export const streamListenerOf = Symbol('fastify-balancer.http2-stream-listener')

/** A Node stream with one listener: all streams share the same functions, instead of closures for each. */
export type ListenedStream = ClientHttp2Stream & { [streamListenerOf]: StreamListener }

/** Listener of a stream. Headers are flat pairs, as received. */
export interface StreamListener {
  onInformation(stream: ListenedStream, status: number, pairs: string[]): void
  onResponse(stream: ListenedStream, status: number, pairs: string[]): void
  /** Not before `readData` was called. */
  onData(stream: ListenedStream, chunk: Buffer): void
  /** They may arrive before unread data. */
  onTrailers(stream: ListenedStream, pairs: string[]): void
  /** Node is closing the stream; unread data is still there. `ended`: the other side had sent END_STREAM. */
  onClosing(isWhole: boolean): void
  /** Everything was read; `onClosing` may have said before whether it is complete. */
  onEnd(stream: ListenedStream): void
  onClose(stream: ListenedStream): void
}

type Incoming = Readonly<Record<string, unknown>>

function onHeaders(this: ListenedStream, fields: Incoming, _bits: number, pairs: string[]): void {
  this[streamListenerOf].onInformation(this, Number(fields[':status']), pairs)
}

function onResponse(this: ListenedStream, fields: Incoming, _bits: number, pairs: string[]): void {
  this[streamListenerOf].onResponse(this, Number(fields[':status']), pairs)
}

function onTrailers(this: ListenedStream, _fields: Incoming, _bits: number, pairs: string[]): void {
  this[streamListenerOf].onTrailers(this, pairs)
}

function onData(this: ListenedStream, chunk: Buffer): void {
  this[streamListenerOf].onData(this, chunk)
}

function onEnd(this: ListenedStream): void {
  this[streamListenerOf].onEnd(this)
}

function onClose(this: ListenedStream): void {
  this[streamListenerOf].onClose(this)
}

/** The close event, which follows, tells what the error means. */
function onError(): void {}

/** Gives a stream that has just been opened its listener. */
export function listenTo(opened: ClientHttp2Stream, listener: StreamListener): ListenedStream {
  const stream = opened as ListenedStream
  stream[streamListenerOf] = listener
  stream.on('headers', onHeaders)
  stream.on('response', onResponse)
  stream.on('trailers', onTrailers)
  stream.on('end', onEnd)
  stream.on('close', onClose)
  stream.on('error', onError)
  return stream
}

/** Starts reading, unless the stream is paused. */
export function readData(stream: ListenedStream): void {
  stream.on('data', onData)
}

function neverEnd(): void {}

/** Ends a stream that was read completely or is not wanted: the rest is cancelled (RFC 9113 §8.1). */
export function letGo(stream: ListenedStream, isWhole: boolean): void {
  const isDone = isWhole && (stream.writableFinished || (!stream.closed && stream.state.localClose === 1))
  if (!isDone) cancel(stream)
}

/** Resets a stream. */
export function cancel(stream: Http2Stream): void {
  // Closing would end the writable side first, and the backend would take an aborted upload for a complete one.
  if (!stream.writableEnded) stream._final = neverEnd
  stream.close(constants.NGHTTP2_CANCEL)
  // With unsent data, closing alone would keep it in its session until that ends.
  stream.destroy()
}
