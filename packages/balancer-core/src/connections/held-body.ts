import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'

/** Listener for the progress of the body. */
export interface BodyReporter {
  onBodySent(chunk: Buffer): void
  onRequestSent(): void
}

/**
 * The body of a request with `Expect: 100-continue`. undici does not send such requests: it is given one without a
 * body, and `Expect` and the framing are added to the head. The body follows once the backend has sent `100 Continue`,
 * or after a while, since some never do (RFC 9110 §10.1.1); not at all if the backend responds before.
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

  /** `length` in bytes; undefined = chunked. `patience` is how long to wait for the backend, in ms. */
  constructor(body: Readable, length: number | undefined, patience: number) {
    this.body = body
    this.#length = length
    this.#patience = patience
  }

  /** True while it is not sent completely but still may be. */
  get pending(): boolean {
    return this.#state !== 'over'
  }

  /** Turns the head that undici writes for a request without a body into the one to send. */
  readonly changeHead = (head: string): string => {
    const none = '\r\ncontent-length: 0\r\n\r\n'
    const fields = head.slice(0, head.endsWith(none) ? -none.length : -4)
    const framing = this.#length === undefined ? 'transfer-encoding: chunked' : `content-length: ${this.#length}`
    return `${fields}\r\nexpect: 100-continue\r\n${framing}\r\n\r\n`
  }

  /** The head is about to be written. `onIgnored` is called if the backend does not react. */
  begin(socket: Socket, reporter: BodyReporter, onIgnored: () => void): void {
    this.#socket = socket
    this.#reporter = reporter
    this.#onIgnored = onIgnored
    this.#timer = setTimeout(() => {
      this.#onIgnored!()
      this.release()
    }, this.#patience)
  }

  /** The backend asks for it. */
  release(): void {
    if (this.#state !== 'waiting') return
    clearTimeout(this.#timer)
    this.#state = 'sending'
    this.#socket!.on('drain', this.#onDrain)
    this.body.on('data', this.#onData).on('end', this.#onEnd)
  }

  /** The backend has responded: if it has not asked for the body by now, it does not want it. */
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

  /** Its length differs from `Content-Length`: anything that follows on the connection would be misread. */
  #fail(): void {
    this.stop()
    this.#socket!.destroy(new Error('the body does not have the length that content-length says'))
  }
}

/** For how long a backend that did not say `100 Continue` to one client is not expected to say it to others (ms). */
const disbelief = 60_000

/** Is a backend waited for to say `100 Continue`? */
export class ContinueTrust {
  #lostUntil = 0

  /** It did not say it. */
  lose(): void {
    this.#lostUntil = performance.now() + disbelief
  }

  get isLost(): boolean {
    return performance.now() < this.#lostUntil
  }
}
