import type { Socket } from 'node:net'

/** Events that are listened to by those who use a socket. */
const used = ['data', 'readable', 'end', 'close'] as const

/** The response that is under way on a connection, as Node has it. */
type Busy = Socket & { _httpMessage?: unknown }

/** Notices whether anybody has begun to use a socket. */
export class Untouched {
  readonly #socket: Busy
  /** Of a request before this one. */
  readonly #response: unknown
  readonly #written: number
  readonly #listeners: number

  constructor(socket: Socket) {
    this.#socket = socket
    this.#response = this.#socket._httpMessage
    this.#written = socket.bytesWritten
    this.#listeners = this.#count()
  }

  /** Nobody has written to it, closed it, listened to it, or begun a response on it. */
  get isStill(): boolean {
    const { _httpMessage: response, bytesWritten, destroyed, writableEnded } = this.#socket
    if (destroyed || writableEnded || response !== this.#response) return false
    return bytesWritten === this.#written && this.#count() === this.#listeners
  }

  #count(): number {
    return used.reduce((sum, event) => sum + this.#socket.listenerCount(event), 0)
  }
}
