import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * So many requests of one connection may wait for their turn, and so many bytes that were read with and after the first
 * of them; then no more is read. A client that leaves is noticed only while there is reading, so it is not stopped early.
 */
const maxWaiting = 4096
const maxBytes = 4 * 1024 * 1024

/** The requests of one connection that have arrived before their turn. */
class Pipeline {
  /** Whose turn it was last. */
  latest: ServerResponse | undefined
  readonly #socket: Socket
  #waiting = 0
  /** What the connection had read when the request arrived that has waited longest. */
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
   * The body of one that waits has filled its buffer. Nobody reads it yet, but if the connection were not read, its client
   * could leave unseen while a backend is at work for it.
   */
  readonly #readOn = (): void => {
    const { bytesRead } = this.#socket
    // It was paused for another reason if nothing has come.
    if (bytesRead === this.#pausedAt || this.#held || this.#isFull(1)) return
    this.#pausedAt = bytesRead
    setImmediate(() => {
      if (this.#waiting > 0 && !this.#held) this.#socket.resume()
    })
  }

  /** Node reads on whenever a request has been answered. */
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

/** Its response is behind another one of the same connection, which has not ended. Answers so for HTTP/1.1 only. */
export function isPipelined(response: ServerResponse): boolean {
  return response.socket === null && !response.destroyed
}

/**
 * Calls `start` when the response before has ended, for requests of one connection are forwarded one at a time: so many as
 * a client sends at once, it never has more than one place at a backend or in the queue. If the client goes before, it is
 * never called.
 */
export function waitForTurn({ socket }: IncomingMessage, response: ServerResponse, start: () => void): void {
  let pipeline = pipelines.get(socket)
  if (pipeline === undefined) pipelines.set(socket, (pipeline = new Pipeline(socket)))
  pipeline.wait(response, start)
}

/** Nothing is being answered on the connection after this response. */
export function isLatest(response: ServerResponse, { socket }: IncomingMessage): boolean {
  const latest = pipelines.get(socket)?.latest
  return latest === undefined || latest === response
}

const distrusted = new WeakSet<Socket>()

/** A malformed request was read from it: whatever seems to follow is not to be believed. */
export function distrust(socket: Socket): void {
  distrusted.add(socket)
}

/** Was one? */
export function isDistrusted(socket: Socket): boolean {
  return distrusted.has(socket)
}
