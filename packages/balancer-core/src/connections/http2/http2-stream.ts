import { constants, type ClientHttp2Stream } from 'node:http2'

/** Where a stream keeps its listener. */
export const streamListenerOf = Symbol('fastify-balancer.http2-stream-listener')

/** A stream of Node's with its one listener: functions that all streams share, instead of closures for each. */
export type ListenedStream = ClientHttp2Stream & { [streamListenerOf]: StreamListener }

/** What is told of a stream. Fields are flat pairs, as they were received. */
export interface StreamListener {
  onInformation(stream: ListenedStream, status: number, pairs: string[]): void
  onResponse(stream: ListenedStream, status: number, pairs: string[]): void
  /** Not before `readData` was called. */
  onData(stream: ListenedStream, chunk: Buffer): void
  /** They may come before data that waits to be read. */
  onTrailers(stream: ListenedStream, pairs: string[]): void
  /** Node is closing the stream: whether the other side had ended it (END_STREAM), and what has not been read is still there. */
  onClosing(isWhole: boolean): void
  /** Everything was read; whether it is whole, `onClosing` may have said before. */
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

/** What an error means shows when the stream closes, which it does next. */
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

/** Lets data come, unless the stream is paused. */
export function readData(stream: ListenedStream): void {
  stream.on('data', onData)
}

function neverEnd(): void {}

/** Ends a stream that was read whole or is not wanted: what of it is still to be sent or received is cancelled (RFC 9113 §8.1). */
export function letGo(stream: ListenedStream, isWhole: boolean): void {
  const isDone = isWhole && (stream.writableFinished || (!stream.closed && stream.state.localClose === 1))
  if (isDone) return
  // Closing ends the writable side first, and a backend would take an upload that was broken off for a whole one.
  if (!stream.writableEnded) stream._final = neverEnd
  stream.close(constants.NGHTTP2_CANCEL)
  // Closing alone leaves it to its session, for as long as that lives, where something of it waits to be sent.
  stream.destroy()
}
