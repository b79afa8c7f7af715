import type { ClientHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import { errors, type Dispatcher } from 'undici'
import type { TrailerSource } from '../trailer-section.ts'
import type { BodyBeginning } from './body-beginning.ts'
import { trailerFields } from './http2-fields.ts'

/** Owner of the body: told when the body itself fails. */
export interface Uploading {
  abort(error: Error): void
}

/** A Buffer is written in pieces of this size, so that progress can be seen. */
const pieceLength = 65_536

function ignore(): void {}

/** Writes the body of one request into its stream, as fast as the backend reads it, and trailers behind it. */
export class Http2Upload {
  readonly #stream: ClientHttp2Stream
  readonly #body: Readable | Buffer
  readonly #beginning: BodyBeginning
  readonly #trailers: TrailerSource | undefined
  readonly #handler: Dispatcher.DispatchHandler
  readonly #owner: Uploading
  #offset = 0
  #ended = false

  constructor(
    stream: ClientHttp2Stream,
    body: Readable | Buffer,
    beginning: BodyBeginning,
    trailers: TrailerSource | undefined,
    handler: Dispatcher.DispatchHandler,
    owner: Uploading,
  ) {
    this.#stream = stream
    this.#body = body
    this.#beginning = beginning
    this.#trailers = trailers
    this.#handler = handler
    this.#owner = owner
  }

  /** Sends what has been read of it already, and then the rest. */
  start(): void {
    const body = this.#body
    this.#stream.on('drain', this.#onDrain)
    if (Buffer.isBuffer(body)) {
      this.#writePieces(body)
      return
    }
    for (const chunk of this.#beginning.chunks ?? []) this.#stream.write(chunk)
    // This listener stays: a body that fails later must not crash the process.
    body.on('error', ignore)
    if (body.readableEnded) this.#onEnd()
    else if (body.destroyed) this.#onClose()
    else {
      body.on('data', this.#onData)
      body.on('end', this.#onEnd)
      body.on('error', this.#onError)
      body.on('close', this.#onClose)
      body.resume()
    }
  }

  /** Stops reading. The rest from the client is dropped, unless another attempt can send all of it. */
  stop(drop: boolean): void {
    if (this.#ended) return
    this.#ended = true
    this.#stream.off('drain', this.#onDrain)
    const body = this.#body
    if (Buffer.isBuffer(body)) return
    body.off('data', this.#onData)
    body.off('end', this.#onEnd)
    body.off('error', this.#onError)
    body.off('close', this.#onClose)
    if (drop) body.resume()
    else body.pause()
  }

  #writePieces(body: Buffer): void {
    while (this.#offset + pieceLength < body.length) {
      const piece = body.subarray(this.#offset, this.#offset + pieceLength)
      this.#offset += piece.length
      const isTaken = this.#stream.write(piece)
      this.#handler.onBodySent?.(piece)
      if (!isTaken || this.#ended) return
    }
    const last = body.subarray(this.#offset)
    this.#end(last)
    this.#handler.onBodySent?.(last)
    this.#handler.onRequestSent?.()
  }

  #end(last?: Buffer): void {
    this.#ended = true
    this.#stream.off('drain', this.#onDrain)
    // Without a listener, Node ends the stream.
    if (this.#trailers !== undefined && this.#trailers.pairs.length > 0) this.#stream.once('wantTrailers', this.#onTurn)
    if (last === undefined) this.#stream.end()
    else this.#stream.end(last)
  }

  /** It is the turn of the trailers. */
  readonly #onTurn = (): void => {
    try {
      this.#stream.sendTrailers(trailerFields(this.#trailers!.pairs))
    } catch (error) {
      this.#owner.abort(error as Error)
    }
  }

  readonly #onDrain = (): void => {
    if (this.#ended) return
    if (Buffer.isBuffer(this.#body)) this.#writePieces(this.#body)
    else this.#body.resume()
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#beginning.add(chunk)
    const isTaken = this.#stream.write(chunk)
    this.#handler.onBodySent?.(chunk)
    if (!isTaken && !this.#ended) (this.#body as Readable).pause()
  }

  readonly #onEnd = (): void => {
    if (this.#ended) return
    this.#end()
    this.#handler.onRequestSent?.()
  }

  readonly #onError = (error: Error): void => this.#owner.abort(error)

  readonly #onClose = (): void => {
    if (!this.#ended) this.#owner.abort((this.#body as Readable).errored ?? new errors.RequestAbortedError())
  }
}
