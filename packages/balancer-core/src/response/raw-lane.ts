import { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { breakOff } from './break-off.ts'
import { flushHead } from './head-bytes.ts'
import { lingerAfter } from './lingering-close.ts'
import type { Answering, Lane } from './response-lane.ts'
import { responseHeaders } from './response-headers.ts'
import { addTrailers } from './trailers.ts'
import { rewriteResponse } from '../rewriting/response-rewrite.ts'
import { toFields, toFlat } from '../headers/fields.ts'

/** Without a length, the body may come much later, as with server-sent events: headers must not wait for it. */
function flushHeaders(answer: Answering): void {
  const { raw } = answer.reply
  if (answer.written === 0 && !raw.writableEnded && !raw.destroyed) flushHead(raw)
}

/** Up to this size, copying a chunk into a string is cheaper than writing two pieces. */
const maxAsText = 4096

/** Node writes at the end of the tick: if the kernel accepts the data by then, no pause is needed. */
function pauseUnlessTaken(answer: Answering): void {
  if (answer.reply.raw.writableLength > 0) answer.pause()
}

/** Writes straight to the socket, past Fastify's reply, except for headers that plugins have set. */
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
    // The reason phrase is not passed on: it may contain characters that Node refuses, and HTTP/2 has none.
    raw.writeHead(status, out)
    reply.hijack()
    if (answer.expected === -1) process.nextTick(flushHeaders, answer)
  },

  data(answer, chunk) {
    const { raw } = answer.reply
    // With the last chunk, headers and body are sent in one write; a small body as text even in one piece.
    if (answer.written === answer.expected) {
      if (chunk.length <= maxAsText) raw.end(chunk.toString('latin1'), 'latin1')
      else raw.end(chunk)
    } else if (!raw.write(chunk)) process.nextTick(pauseUnlessTaken, answer)
  },

  // TLS, HTTP/2 and streams in place of a socket write later, and middleware that replaces `write`, e.g. to compress, may
  // keep what it gets.
  borrows({ reply: { raw } }) {
    if (raw.write !== ServerResponse.prototype.write || raw.socket?.constructor !== Socket) return false
    return raw.socket.write === Socket.prototype.write
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
