import { breakOff } from './break-off.ts'
import { flushHead } from './head-bytes.ts'
import { lingerAfter } from './lingering-close.ts'
import type { Answering, Lane } from './response-lane.ts'
import { responseHeaders } from './response-headers.ts'
import { addTrailers } from './trailers.ts'
import { rewriteResponse } from './response-rewrite.ts'
import { toFields, toFlat } from '../headers/fields.ts'

/** Without a length nothing may follow for long, as with server-sent events: the headers must not wait for it. */
function flushHeaders(answer: Answering): void {
  const { raw } = answer.reply
  if (answer.written === 0 && !raw.writableEnded && !raw.destroyed) flushHead(raw)
}

/** Up to this size, copying a chunk into a string costs less than a write of two pieces. */
const maxAsText = 4096

/** Node writes at the end of the tick: what the kernel has taken by then needs no pause. */
function pauseUnlessTaken(answer: Answering): void {
  if (answer.reply.raw.writableLength > 0) answer.pause()
}

/** Straight to the socket: nothing of Fastify's way out is passed, except for the headers that plugins have set. */
export const rawLane: Lane = {
  start(answer, headers) {
    const { reply, bodyless, empty, rules } = answer
    const { raw } = reply
    let { status } = answer
    let out = responseHeaders(headers, {
      status,
      bodyless,
      empty,
      chunks: raw.req.httpVersion !== '1.0',
      via: rules.via,
      own: reply.getHeaders(),
    })
    if (rules.rewrite !== undefined) {
      const message = { status, headers: toFields(out), body: undefined }
      if (!rewriteResponse(answer, message)) return
      status = message.status
      out = toFlat(message.headers)
    }
    if (answer.uploading && raw.req.httpVersionMajor === 1) {
      out.push('connection', 'close')
      lingerAfter(raw)
    }
    // The reason phrase is not passed on: it may hold what Node refuses to write, and HTTP/2 has none.
    raw.writeHead(status, out)
    reply.hijack()
    if (answer.expected === -1) process.nextTick(flushHeaders, answer)
  },

  data(answer, chunk) {
    const { raw } = answer.reply
    // With the last chunk, header and body leave in one write; as text, a small body even in one piece.
    if (answer.written === answer.expected) {
      if (chunk.length <= maxAsText) raw.end(chunk.toString('latin1'), 'latin1')
      else raw.end(chunk)
    } else if (!raw.write(chunk)) process.nextTick(pauseUnlessTaken, answer)
  },

  // TLS and HTTP/2 write later.
  borrows({ reply: { raw } }) {
    return raw.req.httpVersionMajor === 1 && !('encrypted' in (raw.socket ?? {}))
  },

  borrowed(answer, chunk) {
    const { raw } = answer.reply
    raw.cork()
    const hasRoom = raw.write(chunk)
    raw.uncork()
    // What the kernel has taken needs neither its memory nor a pause.
    if (raw.writableLength === 0) return true
    if (!hasRoom) answer.pause()
    return false
  },

  end(answer, trailers) {
    const { raw } = answer.reply
    if (raw.writableEnded) return
    if (answer.expected === -1 && raw.req.httpVersion !== '1.0') addTrailers(raw, trailers)
    raw.end()
  },

  abandon(answer, error) {
    const { raw } = answer.reply
    if (!raw.headersSent) return true
    breakOff(raw, error)
    return false
  },
}
