import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * How many pipelined requests of one connection may wait, and how many bytes may be read from the first of them on;
 * after that, reading stops. Since a client that leaves is noticed only while reading, the limits are generous.
 */
const maxWaiting = 4096
const maxBytes = 4 * 1024 * 1024

/** Pipelined requests of one connection that wait for their turn. */
class Pipeline {
  /** The response whose turn it was last. */
  latest: ServerResponse | undefined
  readonly #socket: Socket
  #waiting = 0
  /** Bytes read on the connection when the longest-waiting request arrived. */
  #readAt = 0
  #pausedAt = -1
  #held = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  wait(response: ServerResponse, start: () => void): void {
    const socket = this.#socket
    const readAt = socket.bytesRead
    if (this.#waiting++ === 0) {
      this.#readAt = readAt
      socket.on('pause', this.#readOn)
    }
    response.once('socket', () => {
      this.latest = response
      if (--this.#waiting === 0) socket.off('pause', this.#readOn)
      this.#readAt = readAt
      if (this.#held && !this.#isFull(0.5)) this.#release()
      start()
    })
    if (!this.#held && this.#isFull(1)) this.#hold()
  }

  #isFull(share: number): boolean {
    const bytes = this.#waiting === 0 ? 0 : this.#socket.bytesRead - this.#readAt
    return this.#waiting >= maxWaiting * share || bytes >= maxBytes * share
  }

  /**
   * The body of a waiting request has filled its buffer. It is not read yet, but if the connection were not read
   * either, it would go unnoticed that the client has left while a backend is working for it.
   */
  readonly #readOn = (): void => {
    const { bytesRead } = this.#socket
    // If nothing has arrived, it was paused for another reason.
    if (bytesRead === this.#pausedAt || this.#held || this.#isFull(1)) return
    this.#pausedAt = bytesRead
    setImmediate(() => {
      if (this.#waiting > 0 && !this.#held) this.#socket.resume()
    })
  }

  /** Node resumes reading after each response. */
  readonly #stayPaused = (): void => void this.#socket.pause()

  #hold(): void {
    this.#held = true
    this.#socket.on('resume', this.#stayPaused)
    this.#socket.pause()
  }

  #release(): void {
    this.#held = false
    this.#socket.off('resume', this.#stayPaused)
    this.#socket.resume()
  }
}

const pipelines = new WeakMap<Socket, Pipeline>()

/** True if its response must wait for another one on the same connection (HTTP/1.1 only). */
export function isPipelined(response: ServerResponse): boolean {
  return response.socket === null && !response.destroyed
}

/**
 * Calls `start` when the previous response has ended: pipelined requests are forwarded one at a time, so that a
 * connection never occupies more than one place at backends or in the queue. If the client leaves before, it is never
 * called.
 */
export function waitForTurn({ socket }: IncomingMessage, response: ServerResponse, start: () => void): void {
  let pipeline = pipelines.get(socket)
  if (pipeline === undefined) pipelines.set(socket, (pipeline = new Pipeline(socket)))
  pipeline.wait(response, start)
}

/** True if this is the last response in progress on the connection. */
export function isLatest(response: ServerResponse, { socket }: IncomingMessage): boolean {
  const latest = pipelines.get(socket)?.latest
  return latest === undefined || latest === response
}

const distrusted = new WeakSet<Socket>()

/** Marks a connection on which a malformed request was read: later requests on it cannot be trusted. */
export function distrust(socket: Socket): void {
  distrusted.add(socket)
}

/** Was the connection marked by `distrust`? */
export function isDistrusted(socket: Socket): boolean {
  return distrusted.has(socket)
}
