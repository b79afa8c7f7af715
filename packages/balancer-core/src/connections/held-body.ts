import type { Readable } from 'node:stream'
import type { FramedBody } from './held-upload.ts'
import type { TrailerSource } from './trailer-section.ts'

/** For how long a backend that did not say `100 Continue` to one client is not expected to say it to others (ms). */
const disbelief = 60_000

/** Whether a backend answers to `Expect: 100-continue`. */
export class ContinueTrust {
  #expectAfter = 0

  /** It has not answered in time: it is not asked, for a while. */
  onIgnored(): void {
    this.#expectAfter = performance.now() + disbelief
  }

  get isLost(): boolean {
    return performance.now() < this.#expectAfter
  }
}

/** Sends the body. */
interface Sender {
  start(): void
  /** Stops what was started. */
  stop?(): void
}

/**
 * The body of a request with `Expect: 100-continue`. It follows once the backend has sent `100 Continue`, or after a
 * while, since some never do (RFC 9110 §10.1.1); not at all if the backend responds before. undici does not send such
 * requests: over HTTP/1.1 it is given one without a body, and `Expect` and the framing are added to the head.
 */
export class HeldBody implements FramedBody {
  readonly body: Readable
  readonly length: number | undefined
  readonly trailers: TrailerSource | undefined
  readonly #patience: number
  #state: 'waiting' | 'sending' | 'over' = 'waiting'
  #timer: NodeJS.Timeout | undefined
  #sender: Sender | undefined

  /** `length` in bytes; undefined = chunked. `patience` is how long to wait for the backend, in ms. */
  constructor(body: Readable, length: number | undefined, trailers: TrailerSource | undefined, patience: number) {
    this.body = body
    this.length = length
    this.trailers = trailers
    this.#patience = patience
  }

  /** True while the backend has not asked for it and still may. */
  get pending(): boolean {
    return this.#state === 'waiting'
  }

  /** Turns the head that undici writes for a request without a body into the one to send. */
  readonly changeHead = (head: string): string => {
    const none = '\r\ncontent-length: 0\r\n\r\n'
    const fields = head.slice(0, head.endsWith(none) ? -none.length : -4)
    const framing = this.length === undefined ? 'transfer-encoding: chunked' : `content-length: ${this.length}`
    return `${fields}\r\nexpect: 100-continue\r\n${framing}\r\n\r\n`
  }

  /** The head is about to be written. `trust` is told if the backend does not react. */
  begin(sender: Sender, trust: ContinueTrust): void {
    clearTimeout(this.#timer)
    this.#sender = sender
    this.#timer = setTimeout(() => {
      trust.onIgnored()
      this.release()
    }, this.#patience)
  }

  /** Its connection has let go of it, and another may take it: until then, it waits for nothing. */
  rewind(): void {
    clearTimeout(this.#timer)
  }

  /** The backend asks for it. */
  release(): void {
    if (this.#state !== 'waiting') return
    clearTimeout(this.#timer)
    this.#state = 'sending'
    this.#sender!.start()
  }

  /** The backend has responded: if it has not asked for the body by now, it does not want it. */
  answered(): void {
    if (this.#state === 'waiting') this.stop()
  }

  stop(): void {
    clearTimeout(this.#timer)
    if (this.#state === 'sending') this.#sender!.stop?.()
    this.#state = 'over'
  }
}
