/** The trailers of a request: known once its body has ended. */
export interface TrailerSource {
  /** Flat pairs of the fields to send. */
  readonly pairs: readonly string[]
}

/** What undici writes behind the last chunk of a body. */
const end = '\r\n0\r\n\r\n'

/** The end of a chunked body, from its last chunk on (RFC 9112 §7.1). */
export function lastChunk(trailers: TrailerSource | undefined): string {
  let section = '0\r\n'
  const pairs = trailers?.pairs ?? []
  for (let index = 0; index < pairs.length; index += 2) section += `${pairs[index]}: ${pairs[index + 1]}\r\n`
  return `${section}\r\n`
}

/**
 * Adds trailers to a body as undici writes it, which sends none: where its chunks end, or, if it has arrived as a whole and
 * would be sent with its length, by making chunks of it.
 */
export class TrailerSection {
  readonly #trailers: TrailerSource
  /** Bytes of the body that are still to be made chunks. */
  #left = 0

  constructor(trailers: TrailerSource) {
    this.#trailers = trailers
  }

  /** What to write in place of a piece: strings are heads and the framing of chunks, Buffers are the body. */
  change(piece: string | Buffer): string | Buffer {
    if (typeof piece === 'string') {
      return piece.endsWith('\r\n\r\n') && this.#trailers.pairs.length > 0 ? this.#changeText(piece) : piece
    }
    if (this.#left === 0) return piece
    this.#left -= piece.length
    const behind = this.#left === 0 ? `\r\n${lastChunk(this.#trailers)}` : '\r\n'
    return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from(behind, 'latin1')])
  }

  #changeText(text: string): string {
    if (text === end) return `\r\n${lastChunk(this.#trailers)}`
    // The head of a request whose body has ended. If that is empty, it may have no length.
    const [field = '\r\n', length = '0'] = /content-length: (\d+)\r\n\r\n$/.exec(text) ?? []
    this.#left = Number(length)
    const fields = `${text.slice(0, -field.length)}transfer-encoding: chunked\r\n\r\n`
    return this.#left === 0 ? fields + lastChunk(this.#trailers) : fields
  }
}
