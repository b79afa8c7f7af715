import { isBytes, letAppAnswer, type AppAnswer, type OnBackendResponse } from './app-answer.ts'
import { breakOff } from './break-off.ts'
import { flushHead, keepBytes } from './head-bytes.ts'
import { lingerAfter } from './lingering-close.ts'
import { Readable } from 'node:stream'
import type { Answering, Lane } from './response-lane.ts'
import { responseFields } from './response-headers.ts'
import { addTrailers } from './trailers.ts'
import { rewriteResponse, type OutgoingResponse } from '../rewriting/response-rewrite.ts'
import type { HeaderFields, IncomingFields } from '../headers/fields.ts'

/** Up to this size a body of known length is buffered, so that hooks such as etag get all of it. */
const maxCollected = 65_536

function flushHeaders({ reply: { raw } }: Answering): void {
  // Once something is piped to the response its headers are set; before that, a hook may still change them.
  if (!raw.headersSent && raw.listenerCount('unpipe') > 0) flushHead(raw)
}

/** The backend's body as a stream: pausing it pauses the backend, destroying it ends the attempt. */
class ResponseBody extends Readable {
  readonly #answer: Answering
  #flushed = false

  constructor(answer: Answering) {
    super()
    this.#answer = answer
  }

  override _read(): void {
    // Fastify writes the headers with the first chunk, which may come late (server-sent events).
    if (!this.#flushed) process.nextTick(flushHeaders, this.#answer)
    this.#flushed = true
    this.#answer.resume()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#answer.unwanted()
    callback(error)
  }
}

const readableType = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;|$)/

/** Where the response stands between the backend and `reply.send`. */
interface State {
  readonly status: number
  readonly headers: HeaderFields
  /** Headers that the app's own plugins had set. */
  readonly own: IncomingFields
  readonly chunks: Buffer[]
  stream: ResponseBody | undefined
  sent: boolean
  /** Code of the app that answers in place of the backend. */
  app: AppAnswer | undefined
}

const stateOf = (answer: Answering) => answer.laneState as State

function send(answer: Answering, received: Readable | Buffer | undefined): void {
  const { reply, rules } = answer
  const state = stateOf(answer)
  const { status, headers } = state
  const out: OutgoingResponse = { status, headers, body: received }
  if (!rewriteResponse(answer, out)) return
  if (out.body !== received) delete out.headers['content-length']
  setHead(answer, out)
  if (rules.onResponse !== undefined) return handOver(answer, out, rules.onResponse)
  state.sent = true
  // For a Buffer, Fastify replaces a missing or unreadable content type; for a stream it does not.
  const isNamed = readableType.test(String(out.headers['content-type']))
  reply.send(Buffer.isBuffer(out.body) && !isNamed ? Readable.from([out.body]) : out.body)
}

/** Sets status and headers of the reply. */
function setHead(answer: Answering, out: OutgoingResponse): void {
  const { reply } = answer
  // These are in `headers` already, and a repeated set-cookie would be added, not replaced.
  for (const name in stateOf(answer).own) reply.removeHeader(name)
  reply.code(out.status)
  for (const name in out.headers) {
    const value = out.headers[name]
    if (name !== '__proto__') reply.header(name, value)
    // Fastify keeps headers in an object that cannot hold this name.
    else if (value !== undefined) reply.raw.setHeader(name, value)
  }
  keepBytes(reply.raw, out.headers)
  if (answer.uploading && reply.raw.req.httpVersionMajor === 1) {
    reply.header('connection', 'close')
    lingerAfter(reply.raw)
  }
}

/** Lets code of the app answer, which gets the body as a stream. */
function handOver(
  answer: Answering,
  { status, headers, body: given }: OutgoingResponse,
  respond: OnBackendResponse,
): void {
  const { request, reply, backend } = answer
  const state = stateOf(answer)
  const length = headers['content-length']
  // Another body has another length, and no trailers follow, for which Node would refuse a length.
  reply.removeHeader('content-length').removeHeader('trailer')
  const body =
    given instanceof Readable ? given : Readable.from(given === undefined ? [] : [given], { objectMode: false })
  const sending = (payload: unknown) => {
    // Text is not compressed, even if the backend's body was.
    const encoding = reply.getHeader('content-encoding')
    if (encoding === headers['content-encoding'] && !isBytes(payload)) reply.removeHeader('content-encoding')
  }
  state.app = { hasBegun: false, sending }
  letAppAnswer(
    state.app,
    reply,
    () => respond(request, reply, { backend, status, headers: { ...headers }, body }),
    () => {
      if (answer.failed) return
      state.sent = true
      if (length !== undefined) reply.header('content-length', length)
      reply.send(body)
    },
    (error) => answer.fail('rewrite-failed', error),
  )
}

function sendStream(answer: Answering): void {
  const state = stateOf(answer)
  if (state.sent || state.app !== undefined || answer.failed) return
  state.stream = new ResponseBody(answer)
  // It may fail before Fastify listens to it, while a hook is running.
  state.stream.on('error', () => {})
  for (const chunk of state.chunks.splice(0)) if (!state.stream.push(chunk)) answer.pause()
  send(answer, state.stream)
}

/** Sends through `reply.send`, and so through every onSend hook, as compress, etag and a user's own hooks need it. */
export const fullLane: Lane = {
  start(answer, received) {
    const { request, reply, status, bodyless, empty, rules } = answer
    const { via } = rules
    const own = reply.getHeaders()
    const chunks = request.raw.httpVersion !== '1.0'
    const headers = responseFields(received, { status, bodyless, empty, chunks, via, own })
    answer.laneState = {
      status,
      headers,
      own,
      chunks: [],
      stream: undefined,
      sent: false,
      app: undefined,
    } satisfies State
    if (answer.expected > maxCollected) sendStream(answer)
    // A body of unknown length may have arrived completely; if it has not by the end of this tick, it is streamed.
    else if (answer.expected === -1) process.nextTick(sendStream, answer)
  },

  data(answer, chunk) {
    const { stream, chunks } = stateOf(answer)
    if (stream === undefined) chunks.push(chunk)
    else if (!stream.push(chunk)) answer.pause()
  },

  end(answer, trailers) {
    const state = stateOf(answer)
    const { chunks } = state
    const { method, raw } = answer.request
    // Trailers need a chunked body, which Fastify sends for streams only.
    const hasTrailers =
      answer.rules.onResponse === undefined &&
      answer.expected === -1 &&
      raw.httpVersion !== '1.0' &&
      Object.keys(trailers).length > 0
    if (hasTrailers && state.stream === undefined) sendStream(answer)
    if (state.stream !== undefined) {
      if (hasTrailers) addTrailers(answer.reply.raw, trailers)
      state.stream.push(null)
      return
    }
    delete state.headers.trailer
    // For HEAD, an empty stream: without a body, Fastify would set content-length to 0.
    if (method === 'HEAD') send(answer, Readable.from([]))
    else send(answer, answer.bodyless ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
  },

  abandon(answer, error) {
    // It may have failed before there was any state.
    if (answer.laneState === undefined) return true
    const { stream, app, headers, own } = stateOf(answer)
    const sent = stateOf(answer).sent || app?.hasBegun === true || answer.reply.sent
    stream?.destroy(error)
    // The error is no part of the response that was handed over: neither its headers are, nor its status.
    if (!sent && app !== undefined) {
      answer.reply.code(200)
      for (const name in headers) if (!(name in own)) answer.reply.removeHeader(name)
    }
    if (sent) breakOff(answer.reply.raw, error)
    return !sent
  },
}
