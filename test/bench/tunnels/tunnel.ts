import { connect, type Socket } from 'node:net'
import { frame, handshake } from './frames.ts'

const endOfHead = '\r\n\r\n'

/** A WebSocket that asks with one frame after the other. */
export class LoadTunnel {
  /** Frames that were answered. */
  answered = 0
  isBroken = false
  readonly #socket: Socket
  readonly #frame: Buffer
  readonly #answer: number
  #received = 0
  #asks = false

  private constructor(socket: Socket, length: number) {
    this.#socket = socket
    this.#frame = frame(length, true)
    this.#answer = frame(length, false).length
    socket.on('data', (chunk: Buffer) => this.#take(chunk.length))
    socket.on('error', () => (this.isBroken = true))
    socket.on('close', () => (this.isBroken ||= this.#asks))
  }

  /** Opens one. @throws Error where it is refused */
  static open(port: number, length: number): Promise<LoadTunnel> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(handshake(length)))
      let head = ''
      socket.setNoDelay(true)
      const read = (chunk: Buffer) => {
        head += chunk.toString('latin1')
        if (!head.includes(endOfHead)) return
        socket.off('data', read).off('error', reject).off('close', fail)
        if (head.startsWith('HTTP/1.1 101 ')) resolve(new LoadTunnel(socket, length))
        else reject(new Error(`refused: ${head.slice(0, 40)}`))
      }
      const fail = () => reject(new Error(`closed: ${head.slice(0, 40)}`))
      socket.on('data', read).on('error', reject).on('close', fail)
    })
  }

  /** Asks, and again after each answer. */
  start(): void {
    this.#asks = true
    this.#socket.write(this.#frame)
  }

  /** Asks no more. */
  stop(): void {
    this.#asks = false
    this.#socket.destroy()
  }

  #take(bytes: number): void {
    this.#received += bytes
    if (this.#received < this.#answer) return
    this.#received -= this.#answer
    this.answered++
    if (this.#asks) this.#socket.write(this.#frame)
  }
}
