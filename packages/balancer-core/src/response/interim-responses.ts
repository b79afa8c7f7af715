import type { FastifyReply } from 'fastify'
import { Socket } from 'node:net'
import type { IncomingFields } from '../headers/fields.ts'

/**
 * More before one response is no good sense, in number and in bytes of their headers. (Go's client reads as much as of any
 * header, 1 MiB; undici and nginx do not count.)
 */
const maxReceived = 4096
const maxReceivedBytes = 1024 * 1024
/** More is not passed on (bytes): over HTTP/2 nothing holds it up. */
const maxPassedBytes = 256 * 1024

// oxlint-disable-next-line no-control-regex -- what must not be in a field value
const forbidden = /[^\t\u0020-\u007e\u0080-\u00ff]/

function sizeOf(headers: IncomingFields): number {
  let size = 0
  for (const name in headers) for (const value of [headers[name]].flat()) size += name.length + `${value}`.length + 4
  return size
}

/** What comes before the response (RFC 9110 §15.2). Of it, Early Hints are passed on (RFC 8297): their links. */
export class InterimResponses {
  /** The client has not taken what was written; until then, hints are left out. */
  blocked = false
  readonly #reply: FastifyReply
  #received = 0
  #receivedBytes = 0
  #passedBytes = 0

  constructor(reply: FastifyReply) {
    this.#reply = reply
  }

  /** False: that was too much. */
  take(status: number, headers: IncomingFields): boolean {
    this.#received++
    this.#receivedBytes += sizeOf(headers)
    if (this.#received > maxReceived || this.#receivedBytes > maxReceivedBytes) return false
    if (status === 103 && headers.link !== undefined) this.#pass([headers.link].flat().map(String))
    return true
  }

  #pass(links: readonly string[]): void {
    const { request, raw } = this.#reply
    const { httpVersion, httpVersionMajor } = request.raw
    // An HTTP/1.0 client would take it for the response.
    if (httpVersion === '1.0' || raw.headersSent || raw.destroyed || links.some((link) => forbidden.test(link))) return
    const head = `HTTP/1.1 103 Early Hints\r\n${links.map((link) => `link: ${link}\r\n`).join('')}\r\n`
    this.#passedBytes += head.length
    if (this.#passedBytes > maxPassedBytes) return
    if (httpVersionMajor === 2) return this.#writeAsHttp2(links)
    const { socket } = raw
    if (!(socket instanceof Socket)) return
    this.blocked = socket.writableNeedDrain
    // Node would write it in ASCII.
    if (!this.blocked) this.blocked = !socket.write(head, 'latin1')
  }

  #writeAsHttp2(links: readonly string[]): void {
    try {
      // Node takes one link in each string, a field may hold several.
      this.#reply.raw.writeEarlyHints({
        link: links.flatMap((field) => field.split(/,(?=\s*<)/).map((one) => one.trim())),
      })
    } catch {
      // Node refuses links that it does not understand; a hint is not worth a response.
    }
  }
}
