import type { FastifyReply } from 'fastify'
import { Socket } from 'node:net'
import type { IncomingFields } from '../headers/fields.ts'

/**
 * Limits for interim responses before one response: number, and bytes of their headers. (Go's client limits them like
 * any header, to 1 MiB; undici and nginx do not.)
 */
const maxReceived = 4096
const maxReceivedBytes = 1024 * 1024
/** Most bytes that are passed on: over HTTP/2 there is no flow control for them. */
const maxPassedBytes = 256 * 1024

// oxlint-disable-next-line no-control-regex -- what must not be in a field value
const forbidden = /[^\t\u0020-\u007e\u0080-\u00ff]/

function sizeOf(headers: IncomingFields): number {
  let size = 0
  for (const name in headers) for (const value of [headers[name]].flat()) size += name.length + `${value}`.length + 4
  return size
}

/** Interim responses (RFC 9110 §15.2). Of these, Early Hints are passed on (RFC 8297): their links. */
export class InterimResponses {
  /** While the client has unread data, hints are dropped. */
  blocked = false
  readonly #reply: FastifyReply
  #received = 0
  #receivedBytes = 0
  #passedBytes = 0

  constructor(reply: FastifyReply) {
    this.#reply = reply
  }

  /** False if the limits are exceeded. */
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
    // An HTTP/1.0 client would take it for the final response.
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
      // Node takes one link per string; a header may hold several.
      this.#reply.raw.writeEarlyHints({
        link: links.flatMap((field) => field.split(/,(?=\s*<)/).map((one) => one.trim())),
      })
    } catch {
      // Node throws for links that it does not understand; a response must not fail because of a hint.
    }
  }
}
