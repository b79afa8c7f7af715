import type { ClientHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { ContinueTrust, HeldBody } from '../held-body.ts'
import type { TrailerSource } from '../trailer-section.ts'
import { BodyBeginning } from './body-beginning.ts'
import { Http2Upload, type Uploading } from './http2-upload.ts'

/** What a request sends behind its fields: a body, which the backend may have to ask for first, and trailers. */
export class Http2Content {
  readonly #body: Readable | Buffer | null
  readonly #held: HeldBody | undefined
  readonly #trust: ContinueTrust
  readonly #trailers: TrailerSource | undefined
  readonly #beginning = new BodyBeginning()
  #upload: Http2Upload | undefined

  constructor(
    body: Readable | Buffer | null,
    held: HeldBody | undefined,
    trust: ContinueTrust,
    trailers: TrailerSource | undefined,
  ) {
    this.#body = Buffer.isBuffer(body) && body.length === 0 ? null : body
    this.#held = held
    this.#trust = trust
    this.#trailers = trailers
  }

  get isEmpty(): boolean {
    return this.#body === null
  }

  /** Trailers may follow, so that the body must not end the stream by itself. */
  get mayTrail(): boolean {
    return this.#trailers !== undefined
  }

  /** Part of a body that cannot be read twice has been read. */
  get consumed(): boolean {
    return this.#beginning.chunks?.length !== 0
  }

  /** All that has been read of it is still there. */
  get repeatable(): boolean {
    return this.#beginning.chunks !== undefined
  }

  /** Sends it, or begins to wait until the backend asks for it. */
  send(stream: ClientHttp2Stream, handler: Dispatcher.DispatchHandler, owner: Uploading): void {
    const body = this.#body
    if (body === null) return handler.onRequestSent?.()
    const start = () => {
      this.#upload = new Http2Upload(stream, body, this.#beginning, this.#trailers, handler, owner)
      this.#upload.start()
    }
    if (this.#held?.pending === true) this.#held.begin({ start }, this.#trust)
    else start()
  }

  /** `100 Continue` has come; false if nothing waits for it. */
  continues(): boolean {
    if (this.#held?.pending !== true) return false
    this.#held.release()
    return true
  }

  /** The backend has responded: it is not sent again. */
  answered(): void {
    this.#beginning.forget()
  }

  /** Stops sending; it may be sent again. */
  rewind(): void {
    this.#upload?.stop(false)
    this.#upload = undefined
  }

  /** Stops sending. `isLast`: nobody needs the rest. */
  stop(isLast: boolean): void {
    this.#held?.rewind()
    this.#upload?.stop(isLast || this.consumed)
    this.#upload = undefined
  }
}
