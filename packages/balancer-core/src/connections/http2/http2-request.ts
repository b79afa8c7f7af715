import { constants, type OutgoingHttpHeaders } from 'node:http2'
import { errors, type Dispatcher } from 'undici'
import type { ConnectionRequest } from '../connect.ts'
import type { HeaderFields } from '../../headers/fields.ts'
import type { Http2Carrier, Http2Carrying, Http2Handler, Received } from './http2-carrier.ts'
import type { Http2Content } from './http2-content.ts'
import { streamError } from './http2-error.ts'
import { bodyLength, receivedFields, sizeOf, switchedFields } from './http2-fields.ts'
import { letGo, listenTo, readData, type ListenedStream, type StreamListener } from './http2-stream.ts'

/**
 * How many more connections are tried for a request that the backend did not process, before another backend gets it.
 */
const mostRepeats = 3

/**
 * One request on one stream, reported to its handler as undici does it. A response is complete only after END_STREAM;
 * any other end of the stream is an error. It ends once: with `onResponseEnd` or `onResponseError`.
 */
export class Http2Request implements Dispatcher.DispatchController, StreamListener {
  aborted = false
  paused = false
  reason: Error | null = null
  readonly handler: Http2Handler
  /** Until when it may wait for a connection, on its pool's clock. */
  deadline = Infinity
  /** When its connection took it, and how many bytes that had received by then. */
  carriedAt = 0
  bytesBefore = 0
  /** The backend sent GOAWAY and has not processed this request. */
  unseen = false
  readonly #owner: Http2Carrying<Http2Request>
  readonly options: ConnectionRequest
  /** It asks for a WebSocket. */
  readonly isConnect: boolean
  readonly #fields: OutgoingHttpHeaders
  readonly #content: Http2Content
  #connection: Http2Carrier<Http2Request> | undefined
  #stream: ListenedStream | undefined
  #repeats = 0
  #settled = false
  #status = 0
  /** Expected body bytes; -1 without a `Content-Length`. */
  #expected = -1
  #received = 0
  #whole = false
  #taking = false
  /** Data that was unread when the stream closed completely: it must survive the end of the stream or its session. */
  #rest: Buffer[] | undefined
  #last: Buffer | undefined
  #trailers: HeaderFields = {}

  constructor(
    owner: Http2Carrying<Http2Request>,
    options: ConnectionRequest,
    fields: OutgoingHttpHeaders,
    content: Http2Content,
    handler: Http2Handler,
  ) {
    this.#owner = owner
    this.options = options
    this.isConnect = options.switchTo !== undefined
    this.#fields = fields
    this.#content = content
    this.handler = handler
  }

  /** The stream's number on its connection; 0 before it has one. */
  get id(): number {
    return this.#stream?.id ?? 0
  }

  /** Sends it. */
  start(connection: Http2Carrier<Http2Request>): void {
    const { handler } = this
    this.#connection = connection
    handler.connection = connection
    handler.onRequestStart?.(this, undefined)
    if (this.#settled) return
    try {
      const { isEmpty, mayTrail: waitForTrailers } = this.#content
      const endStream = isEmpty && !this.isConnect
      this.#stream = listenTo(connection.open(this.#fields, { endStream, waitForTrailers }), this)
    } catch (error) {
      this.unseen = true
      return this.#refuse(error as Error)
    }
    this.#content.send(this.#stream, handler, this)
  }

  pause(): void {
    this.paused = true
    this.#stream?.pause()
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    if (this.#status !== 0) this.#stream?.resume()
  }

  abort(reason: Error): void {
    if (this.#settled) return
    this.aborted = true
    this.reason = reason
    this.fail(reason)
  }

  /** Ends it with an error. */
  fail(error: Error): void {
    if (this.#settled) return
    this.#settle()
    this.handler.onResponseError?.(this, error)
  }

  onInformation(stream: ListenedStream, status: number, pairs: string[]): void {
    if (!this.#isCurrent(stream) || this.#status !== 0 || status >= 200) return
    if (status !== 100 || !this.#content.continues()) this.#respond(status, receivedFields(pairs) as Received)
  }

  onResponse(stream: ListenedStream, status: number, pairs: string[]): void {
    if (!this.#isCurrent(stream)) return
    const fields = receivedFields(pairs) as Received
    if (sizeOf(pairs) > this.#owner.maxHeaderSize) return this.fail(new errors.HeadersOverflowError())
    this.#expected = bodyLength(this.#fields[':method'] === 'HEAD', status, fields)
    this.#status = status
    this.#content.answered()
    if (this.isConnect && status < 300) return this.#switch(stream, fields)
    this.#respond(status, fields)
    if (!this.#settled) readData(stream)
  }

  onData(stream: ListenedStream, chunk: Buffer): void {
    if (this.#taking || !this.#isCurrent(stream)) return
    this.#received += chunk.length
    // With a known length, the client takes the last byte as the end: it is held back until the response is known to be
    // complete.
    if (this.#received === this.#expected) this.#last = chunk
    else this.#pass(chunk)
  }

  onTrailers(stream: ListenedStream, pairs: string[]): void {
    if (this.#isCurrent(stream)) this.#trailers = receivedFields(pairs)
  }

  onClosing(isWhole: boolean): void {
    const stream = this.#stream
    if (!isWhole || this.#settled || stream === undefined) return
    this.#whole = true
    this.#taking = true
    for (let chunk; (chunk = stream.read() as Buffer | null) !== null;) (this.#rest ??= []).push(chunk)
    this.#taking = false
  }

  onEnd(stream: ListenedStream): void {
    if (!this.#isCurrent(stream)) return
    // Without END_STREAM, only the close of the stream ends it; `onClosing` was called before.
    if (!stream.closed) this.#whole = true
    if (this.#whole) this.#finish(stream)
    else this.fail(streamError('the backend closed the stream too early'))
  }

  onClose(stream: ListenedStream): void {
    if (this.#settled && stream === this.#stream) return this.#connection!.release(this)
    if (!this.#isCurrent(stream)) return
    if (this.#whole) return this.#finish(stream)
    const { rstCode } = stream
    const isRefused = this.unseen || rstCode === constants.NGHTTP2_REFUSED_STREAM
    const error =
      (isRefused ? undefined : this.#connection!.failure) ??
      streamError(`the backend reset the stream with code ${rstCode}`)
    if (isRefused && this.#status === 0) this.#refuse(error)
    else this.fail(error)
  }

  #pass(chunk: Buffer): void {
    try {
      this.handler.onResponseData?.(this, chunk)
    } catch (error) {
      this.fail(error as Error)
    }
  }

  #respond(status: number, fields: Received): void {
    try {
      this.handler.onResponseStart?.(this, status, fields)
    } catch (error) {
      this.fail(error as Error)
    }
  }

  /** The stream is no longer a request's: it keeps its place on the connection until it is closed. */
  #switch(stream: ListenedStream, fields: Received): void {
    this.handler.onUpgrade!(101, switchedFields(fields, this.options) as Received, stream, Buffer.alloc(0))
    // If it was not accepted, it was aborted.
    this.#settled = true
  }

  /** The backend has not processed it: if all of its body is still there, it can be sent again with any method. */
  #refuse(error: Error): void {
    const { consumed, repeatable } = this.#content
    if (consumed && !repeatable) return this.fail(error)
    // Without its beginning, the rest of a body cannot go to another backend: then this one is asked again.
    if (!consumed) this.handler.started = false
    // A graceful GOAWAY is no failure: another connection to the backend takes the request.
    if (!(this.unseen || consumed) || this.#repeats++ === mostRepeats) return this.fail(error)
    this.unseen = false
    this.#content.rewind()
    this.#detach()
    if (!this.#owner.takeAgain(this)) this.fail(error)
  }

  #finish(stream: ListenedStream): void {
    for (const chunk of this.#rest ?? []) this.onData(stream, chunk)
    if (this.#settled) return
    if (this.#status === 0) return this.fail(streamError('the stream ended without a response'))
    if (this.#expected !== -1 && this.#received !== this.#expected)
      return this.fail(streamError(`received ${this.#received} of ${this.#expected} bytes`))
    if (this.#last !== undefined) this.#pass(this.#last)
    if (this.#settled) return
    this.#settle()
    try {
      this.handler.onResponseEnd?.(this, this.#trailers as Received)
    } catch (error) {
      this.handler.onResponseError?.(this, error as Error)
    }
  }

  #isCurrent(stream: ListenedStream): boolean {
    return !this.#settled && stream === this.#stream
  }

  #settle(): void {
    this.#settled = true
    if (this.#connection === undefined) this.#owner.withdraw(this)
    else this.#detach()
  }

  /** Releases the stream. */
  #detach(): void {
    const stream = this.#stream
    const connection = this.#connection
    this.#content.stop(this.#whole)
    this.#stream = undefined
    this.#connection = undefined
    if (stream !== undefined) letGo(stream, this.#whole)
    connection?.release(this)
  }
}
