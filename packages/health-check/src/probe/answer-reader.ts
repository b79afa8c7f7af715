import type { IncomingHttpHeaders } from 'node:http'
import { BodySearch } from './expectation.ts'
import type { Probing } from './probing.ts'

/** The request of a probe, the same for all backends except for the authority. */
export interface ProbeRequest {
  readonly method: string
  readonly path: string
  readonly authority: string
  readonly scheme: string
  /** With lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Only over HTTP/2. */
  readonly body?: Buffer
}

/** Reads one response as it arrives. */
export interface Reader {
  /** The final headers have come. */
  onStatus(status: number, headers: IncomingHttpHeaders): void
  onData(chunk: Buffer): void
  /** Only over HTTP/2. They may come before the last data. */
  onTrailers?(trailers: IncomingHttpHeaders): void
  /** The body is complete. */
  onEnd(): void
  onError(error: unknown): void
}

/**
 * Reads and judges one response as it arrives; a decision closes the connection, so that no more is read than needed.
 */
export class AnswerReader implements Reader {
  readonly #probing: Probing
  readonly #isGood: (status: number) => boolean
  readonly #search: BodySearch | undefined
  #status = 0

  constructor(probing: Probing, isGood: (status: number) => boolean, wanted: string | RegExp | undefined) {
    this.#probing = probing
    this.#isGood = isGood
    this.#search = wanted === undefined ? undefined : new BodySearch(wanted)
  }

  /** The final headers have come. */
  onStatus(status: number): void {
    this.#status = status
    this.#probing.responded()
    if (!this.#isGood(status)) this.#probing.bad(`status ${status} is not expected`)
    else if (this.#search === undefined) this.#probing.good(`HTTP ${status}`)
  }

  onData(chunk: Buffer): void {
    if (!this.#probing.ended) this.#decide(this.#search?.add(chunk))
  }

  /** The body is complete. */
  onEnd(): void {
    if (!this.#probing.ended) this.#decide(this.#search?.end())
  }

  onError(error: unknown): void {
    this.#probing.failed(error, this.#status === 0 ? '' : `HTTP ${this.#status}, then `)
  }

  #decide(holds: boolean | undefined): void {
    if (holds === true) this.#probing.good(`HTTP ${this.#status}, and the body is as expected`)
    if (holds === false) this.#probing.bad(`HTTP ${this.#status}, but the body is not as expected`)
  }
}
