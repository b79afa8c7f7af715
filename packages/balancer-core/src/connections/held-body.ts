import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'

/** Who is told how the body gets on. */
export interface BodyReporter {
  onBodySent(chunk: Buffer): void
  onRequestSent(): void
}

/**
 * The body of a request whose client waits to be told to continue. undici does not send such requests: it is given one
 * without a body, into whose head the expectation and the framing are written. The body follows once the backend has said
 * `100 Continue`, or after a while, since some never do (RFC 9110 §10.1.1); not at all if the backend answers before.
 */
export class HeldBody {
  readonly body: Readable
  readonly #length: number | undefined
  readonly #patience: number
  #state: 'waiting' | 'sending' | 'over' = 'waiting'
  #timer: NodeJS.Timeout | undefined
  #socket: Socket | undefined
  #reporter: BodyReporter | undefined
  #onIgnored: (() => void) | undefined
  #sent = 0
  readonly #onData = (chunk: Buffer) => this.#send(chunk)
  readonly #onEnd = () => this.#end()
  readonly #onDrain = () => void this.body.resume()

  /** `length` in bytes; in chunks if it is undefined. `patience` is how long the backend is waited for, in ms. */
  constructor(body: Readable, length: number | undefined, patience: number) {
    this.body = body
    this.#length = length
    this.#patience = patience
  }

  /** It has not been sent to its end, and may yet be. */
  get pending(): boolean {
    return this.#state !== 'over'
  }

  /** The head as undici writes it for a request without a body, as it is to be sent. */
  readonly changeHead = (head: string): string => {
    const none = '\r\ncontent-length: 0\r\n\r\n'
    const fields = head.slice(0, head.endsWith(none) ? -none.length : -4)
    const framing = this.#length === undefined ? 'transfer-encoding: chunked' : `content-length: ${this.#length}`
    return `${fields}\r\nexpect: 100-continue\r\n${framing}\r\n\r\n`
  }

  /** The head is about to be written. `onIgnored` hears that the backend has said nothing. */
  begin(socket: Socket, reporter: BodyReporter, onIgnored: () => void): void {
    this.#socket = socket
    this.#reporter = reporter
    this.#onIgnored = onIgnored
    this.#timer = setTimeout(() => {
      this.#onIgnored!()
      this.release()
    }, this.#patience)
  }

  /** The backend wants it. */
  release(): void {
    if (this.#state !== 'waiting') return
    clearTimeout(this.#timer)
    this.#state = 'sending'
    this.#socket!.on('drain', this.#onDrain)
    this.body.on('data', this.#onData).on('end', this.#onEnd)
  }

  /** The backend has answered: what it has not asked for by now, it does not want. */
  answered(): void {
    if (this.#state === 'waiting') this.stop()
  }

  stop(): void {
    clearTimeout(this.#timer)
    if (this.#state === 'sending') {
      this.body.off('data', this.#onData).off('end', this.#onEnd)
      this.#socket!.off('drain', this.#onDrain)
      this.body.pause()
    }
    this.#state = 'over'
  }

  #send(chunk: Buffer): void {
    const socket = this.#socket!
    this.#sent += chunk.length
    if (this.#length !== undefined && this.#sent > this.#length) return this.#fail()
    let takesMore: boolean
    if (this.#length === undefined) {
      socket.cork()
      socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1')
      socket.write(chunk)
      takesMore = socket.write('\r\n', 'latin1')
      socket.uncork()
    } else takesMore = socket.write(chunk)
    this.#reporter!.onBodySent(chunk)
    if (!takesMore) this.body.pause()
  }

  #end(): void {
    if (this.#length !== undefined && this.#sent !== this.#length) return this.#fail()
    if (this.#length === undefined) this.#socket!.write('0\r\n\r\n', 'latin1')
    this.stop()
    this.#reporter!.onRequestSent()
  }

  /** It is not as long as it was said to be: whatever follows on the connection would be taken for something else. */
  #fail(): void {
    this.stop()
    this.#socket!.destroy(new Error('the body is not as long as its content-length says'))
  }
}
