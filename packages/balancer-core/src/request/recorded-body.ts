import { Transform, type Readable, type TransformCallback } from 'node:stream'

/** Longer ones are not kept (bytes). */
const mostKept = 65_536

/** A body on its way to a backend that keeps a copy, so that it can be sent again if it is small. */
export class RecordedBody extends Transform {
  #chunks: Buffer[] | undefined = []
  #length = 0
  #isWhole = false

  constructor(body: Readable) {
    super()
    body.on('error', (error) => this.destroy(error))
    body.pipe(this)
  }

  /** All of it; undefined if it is too long, or the client has not sent all of it yet. */
  get whole(): Buffer | undefined {
    return this.#isWhole && this.#chunks !== undefined ? Buffer.concat(this.#chunks) : undefined
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#length += chunk.length
    if (this.#length > mostKept) this.#chunks = undefined
    this.#chunks?.push(chunk)
    done(null, chunk)
  }

  override _flush(done: TransformCallback): void {
    this.#isWhole = true
    done()
  }
}
