import type { Socket } from 'node:net'
import { longBody } from './long-body.ts'

/** Whose response it is. */
export interface LongPassageOwner {
  /** The client has not taken what it was given. */
  readonly isPaused: boolean
  /** A part of a long body, which does not go through undici. */
  onLongBody(chunk: Buffer): void
  /** The same, in memory that is used again: false if it was kept. */
  onBorrowed(chunk: Buffer): boolean
}

/** Passes a long body from a socket to its response, all but the last byte, which tells undici that it is whole. */
export class LongPassage {
  /** Bytes that are still to pass. */
  left = 0
  /** The `content-length` of the response, where undici was told another. */
  length: string | undefined
  /** The response takes memory that is used again. */
  lends = false
  readonly #socket: Socket
  readonly #owner: LongPassageOwner

  constructor(socket: Socket, owner: LongPassageOwner) {
    this.#socket = socket
    this.#owner = owner
  }

  /** The final response begins: answers what of it undici is to see now. */
  begin(chunk: Buffer): Buffer {
    const long = longBody(chunk)
    if (long === undefined) return chunk
    this.length = long.length
    this.left = Number(long.length) - 1
    if (long.rest.length > 0) this.#socket.unshift(long.rest)
    return long.head
  }

  end(): void {
    this.left = 0
    this.lends = false
  }

  /** What comes now has to wait. */
  get isHeldUp(): boolean {
    return this.left > 0 && (this.#owner.isPaused || this.#socket.destroyed)
  }

  /** What comes next may be in memory that is used again. */
  get borrows(): boolean {
    return this.left > 0 && this.lends && !this.#owner.isPaused && this.#socket.readableLength === 0
  }

  /** Passes what is in memory that is used again; false if that was kept. */
  borrow(bytes: Buffer): boolean {
    const part = this.#take(bytes)
    const isFree = this.#owner.onBorrowed(part)
    if (part.length < bytes.length) this.#socket.push(Buffer.from(bytes.subarray(part.length)))
    return isFree
  }

  pass(chunk: Buffer): void {
    const part = this.#take(chunk)
    if (part.length < chunk.length) this.#socket.unshift(chunk.subarray(part.length))
    this.#owner.onLongBody(part)
  }

  /** The client reads again: undici, whose parser knows of no pause, asks for what there is. */
  resume(): void {
    if (this.left > 0) this.#socket.emit('readable')
  }

  #take(bytes: Buffer): Buffer {
    const part = bytes.length > this.left ? bytes.subarray(0, this.left) : bytes
    this.left -= part.length
    return part
  }
}
