/** Bytes of a frame's extended length, by its seven bits of length (RFC 6455 §5.2). */
function extendedSize(length: number): number {
  return length < 126 ? 0 : length === 126 ? 2 : 8
}

/**
 * Knows where the WebSocket frames of one direction end, from their headers alone (RFC 6455 §5.2): only between two
 * frames may a frame of ours be sent.
 */
export class FrameBoundary {
  /** Bytes of the current frame's header so far. */
  #read = 0
  /** Size of that header, as far as is known. */
  #size = 2
  /** Of which so many are its extended length. */
  #extended = 0
  #length = 0
  /** Bytes of its payload that are to come. */
  #left = 0

  /** No frame has begun that has not ended. */
  get isBetween(): boolean {
    return this.#read === 0 && this.#left === 0
  }

  /** Follows these bytes; answers how many there are. */
  follow(bytes: Uint8Array): number {
    return this.#follow(bytes, false)
  }

  /** Follows these bytes to the end of the current frame; answers how many belong to it. */
  followToEnd(bytes: Uint8Array): number {
    return this.isBetween ? 0 : this.#follow(bytes, true)
  }

  #follow(bytes: Uint8Array, stopsAtEnd: boolean): number {
    let index = 0
    while (index < bytes.length) {
      if (this.#left > 0) {
        const passed = Math.min(this.#left, bytes.length - index)
        this.#left -= passed
        index += passed
      } else this.#readHeader(bytes[index++]!)
      if (stopsAtEnd && this.isBetween) return index
    }
    return index
  }

  #readHeader(byte: number): void {
    this.#read++
    if (this.#read === 2) {
      const length = byte & 0x7f
      const mask = (byte & 0x80) === 0 ? 0 : 4
      this.#extended = extendedSize(length)
      this.#size = 2 + this.#extended + mask
      this.#length = length < 126 ? length : 0
    } else if (this.#read > 2 && this.#read <= 2 + this.#extended) this.#length = this.#length * 256 + byte
    if (this.#read < this.#size || this.#read < 2) return
    this.#left = this.#length
    this.#read = 0
    this.#size = 2
  }
}
