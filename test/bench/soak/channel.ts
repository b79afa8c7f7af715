import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import { contentType, service } from './call.ts'
import type { CallPart } from './parts.ts'

/** A client's connection for calls of gRPC; it connects again when it has to. */
export class Channel {
  readonly port: number
  #session: ClientHttp2Session | undefined

  constructor(port: number) {
    this.port = port
  }

  /** Sends the headers of a call. */
  call(part: CallPart, metadata: Readonly<Record<string, string>>): ClientHttp2Stream {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = connect(`http://127.0.0.1:${this.port}`)
      this.#session.on('error', () => {})
    }
    const path = `${service}/${part}`
    return this.#session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': contentType,
      te: 'trailers',
      ...metadata,
    })
  }

  /** Disconnects; calls that are under way break. */
  close(): void {
    this.#session?.destroy()
  }
}
