import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { lastChunk, type TrailerSource } from './trailer-section.ts'

/** Listener for the progress of the body. */
export interface BodyReporter {
  onBodySent(chunk: Buffer): void
  onRequestSent(): void
}

/** A body to send, with its framing. */
export interface FramedBody {
  readonly body: Readable
  /** In bytes; undefined = chunked. */
  readonly length: number | undefined
  readonly trailers: TrailerSource | undefined
}

/** Writes a body that was held back to the connection of its request: for undici, that request has none. */
export class HeldUpload {
  readonly #socket: Socket
  readonly #framed: FramedBody
  readonly #reporter: BodyReporter
  #isOver = true
  #sent = 0
  readonly #onData = (chunk: Buffer) => this.#send(chunk)
  readonly #onEnd = () => this.#end()
  readonly #onDrain = () => void this.#framed.body.resume()

  constructor(socket: Socket, framed: FramedBody, reporter: BodyReporter) {
    this.#socket = socket
    this.#framed = framed
    this.#reporter = reporter
  }

  start(): void {
    this.#isOver = false
    this.#socket.on('drain', this.#onDrain)
    this.#framed.body.on('data', this.#onData).on('end', this.#onEnd)
  }

  stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    const { body } = this.#framed
    body.off('data', this.#onData).off('end', this.#onEnd)
    this.#socket.off('drain', this.#onDrain)
    body.pause()
  }

  #send(chunk: Buffer): void {
    const socket = this.#socket
    const { body, length } = this.#framed
    this.#sent += chunk.length
    if (length !== undefined && this.#sent > length) return this.#fail()
    let takesMore: boolean
    if (length === undefined) {
      socket.cork()
      socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
      socket.write(chunk)
      takesMore = socket.write('\r\n', 'latin1')
      socket.uncork()
    } else takesMore = socket.write(chunk)
    this.#reporter.onBodySent(chunk)
    if (!takesMore) body.pause()
  }

  #end(): void {
    const { length, trailers } = this.#framed
    if (length !== undefined && this.#sent !== length) return this.#fail()
    if (length === undefined) this.#socket.write(lastChunk(trailers), 'latin1')
    this.stop()
    this.#reporter.onRequestSent()
  }

  /** Its length differs from `Content-Length`: anything that follows on the connection would be misread. */
  #fail(): void {
    this.stop()
    this.#socket.destroy(new Error('the body does not have the length that content-length says'))
  }
}
