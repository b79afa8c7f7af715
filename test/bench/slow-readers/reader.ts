import { connect, type Socket } from 'node:net'

/**
 * A client that asks for a body and reads it at so many bytes a second. In between it does not read from its socket at
 * all, so that the receive window closes.
 */
export class SlowReader {
  /** Bytes read so far, the response's head included. */
  bytesRead = 0
  /** Why the connection is gone, if it is. */
  broken: string | undefined
  readonly #socket: Socket
  readonly #bytesPerSecond: number
  readonly #startedAt = performance.now()

  constructor(port: number, path: string, bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond
    // Without a `data` listener a socket stops reading once its small buffer is full; `read` makes room for more.
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.write(`GET ${path} HTTP/1.1\r\nhost: slow-readers\r\n\r\n`)
    this.#socket.once('error', (error) => (this.broken = error.message))
    this.#socket.once('close', () => (this.broken ??= 'closed by the proxy'))
  }

  /** Reads as much as is due by now. To be called often. */
  read(): void {
    const due = Math.floor(((performance.now() - this.#startedAt) / 1000) * this.#bytesPerSecond) - this.bytesRead
    const size = Math.min(due, this.#socket.readableLength)
    const chunk = this.#socket.read(size) as Buffer | null
    if (chunk === null) return
    if (this.bytesRead === 0 && !chunk.toString('latin1', 0, 12).endsWith(' 200'))
      this.broken = `answered ${chunk.toString('latin1').split('\r\n')[0]}`
    this.bytesRead += chunk.length
  }

  stop(): void {
    this.#socket.destroy()
  }
}
