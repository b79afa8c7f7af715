import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Answering, Lane } from './lane.ts'
import { responseHeaders } from './response-headers.ts'
import { rewriteResponse } from './rewrite-response.ts'
import { toFields, type HeaderFields, type OutgoingResponse } from './rewrite.ts'

/** Up to this size a body of known length is collected, so that hooks such as etag see it whole. */
const maxCollected = 65_536

/** The backend's body as a stream: pausing it pauses the backend, destroying it ends the attempt. */
class ResponseBody extends Readable {
  readonly #exchange: Answering

  constructor(exchange: Answering) {
    super()
    this.#exchange = exchange
  }

  override _read(): void {
    this.#exchange.resume()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#exchange.onBodyUnwanted()
    callback(error)
  }
}

/** Where the response stands between the backend and `reply.send`. */
interface State {
  readonly status: number
  readonly headers: HeaderFields
  readonly chunks: Buffer[]
  stream: ResponseBody | undefined
  sent: boolean
}

const stateOf = (exchange: Answering) => exchange.laneState as State

function send(exchange: Answering, received: Readable | Buffer | undefined): void {
  const { reply } = exchange
  const state = stateOf(exchange)
  const { status, headers } = state
  state.sent = true
  const out: OutgoingResponse = { status, headers, body: received }
  if (!rewriteResponse(exchange, out)) return
  if (out.body !== received) delete out.headers['content-length']
  // These are among `headers` already, and a repeated set-cookie would be added, not replaced.
  for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name)
  reply.code(out.status)
  for (const name in out.headers) reply.header(name, out.headers[name])
  if (exchange.uploading && reply.raw.req.httpVersionMajor === 1) reply.header('connection', 'close')
  // Fastify names a content type for a Buffer that has none; a stream it leaves alone.
  reply.send(Buffer.isBuffer(out.body) && !reply.hasHeader('content-type') ? Readable.from([out.body]) : out.body)
}

function sendStream(exchange: Answering, controller: Dispatcher.DispatchController): void {
  const state = stateOf(exchange)
  if (state.sent || exchange.outcome !== undefined) return
  state.stream = new ResponseBody(exchange)
  for (const chunk of state.chunks.splice(0)) if (!state.stream.push(chunk)) exchange.pause(controller)
  send(exchange, state.stream)
}

/** Through `reply.send`, and so through every onSend hook: what compress, etag and a user's own hooks need. */
export const fullLane: Lane = {
  start(exchange, status, controller, received) {
    const { reply, bodyless, forwarding } = exchange
    const via = forwarding.balancer.options.forwarded.via
    const headers = toFields(responseHeaders(received, { status, bodyless, via, own: reply.getHeaders() }))
    exchange.laneState = { status, headers, chunks: [], stream: undefined, sent: false } satisfies State
    if (exchange.expected > maxCollected) sendStream(exchange, controller)
    // A body of unknown length may have arrived whole; what has not by the end of this tick is streamed.
    else if (exchange.expected === -1) process.nextTick(sendStream, exchange, controller)
  },

  data(exchange, controller, chunk) {
    const { stream, chunks } = stateOf(exchange)
    if (stream === undefined) chunks.push(chunk)
    else if (!stream.push(chunk)) exchange.pause(controller)
  },

  end(exchange) {
    const { stream, chunks } = stateOf(exchange)
    if (stream !== undefined) stream.push(null)
    else send(exchange, exchange.bodyless ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
  },

  abandon(exchange, error) {
    const { stream } = stateOf(exchange)
    stream?.destroy(error)
    const { raw } = exchange.reply
    if (stream === undefined && !raw.headersSent) return true
    raw.destroy(error)
    return false
  },
}
