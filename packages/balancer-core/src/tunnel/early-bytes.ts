import type { Duplex } from 'node:stream'

/** How much a client may send before the backend has switched (bytes); after that it is not read. */
const most = 65_536

/**
 * What a client sends before its backend has switched protocols: kept until then. It is read so that a client that leaves
 * meanwhile is noticed.
 */
export class EarlyBytes {
  readonly #stream: Duplex
  #chunks: Buffer[]
  #size: number

  constructor(stream: Duplex, head: Buffer) {
    this.#stream = stream
    this.#chunks = head.length > 0 ? [head] : []
    this.#size = head.length
    stream.on('data', this.#keep)
    stream.resume()
  }

  /** Hands over what has come; the stream is paused. */
  take(): readonly Buffer[] {
    this.#stream.off('data', this.#keep)
    this.#stream.pause()
    return this.#chunks
  }

  readonly #keep = (chunk: Buffer): void => {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size >= most) this.#stream.pause()
  }
}
