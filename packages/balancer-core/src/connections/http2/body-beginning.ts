/** So much is kept of one body, in bytes. */
const most = 65_536

/**
 * The beginning of a body that can be read only once. It is kept until the backend responds, so that a request which the
 * backend has refused can be sent there again.
 */
export class BodyBeginning {
  /** Undefined once it is longer than what is kept, or no longer needed. */
  chunks: Buffer[] | undefined = []
  #size = 0

  add(chunk: Buffer): void {
    if (this.chunks === undefined) return
    this.#size += chunk.length
    if (this.#size > most) this.forget()
    else this.chunks.push(chunk)
  }

  forget(): void {
    this.chunks = undefined
  }
}
