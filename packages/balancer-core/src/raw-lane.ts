import type { Answering, Lane } from './lane.ts'
import { responseHeaders } from './response-headers.ts'
import { rewriteResponse } from './rewrite-response.ts'
import { toFields, toFlat } from './rewrite.ts'

/** Without a length nothing may follow for long, as with server-sent events: the headers must not wait for it. */
function flushHeaders(exchange: Answering): void {
  const { raw } = exchange.reply
  if (exchange.written === 0 && !raw.writableEnded && !raw.destroyed) raw.flushHeaders()
}

/** Straight to the socket: nothing of Fastify's way out is passed, except for the headers that plugins have set. */
export const rawLane: Lane = {
  start(exchange, received, _controller, headers) {
    const { reply, bodyless, forwarding } = exchange
    const { raw } = reply
    let status = received
    let out = responseHeaders(headers, {
      status,
      bodyless,
      via: forwarding.balancer.options.forwarded.via,
      own: reply.getHeaders(),
    })
    if (forwarding.rewrite.response !== undefined) {
      const message = { status, headers: toFields(out), body: undefined }
      if (!rewriteResponse(exchange, message)) return
      status = message.status
      out = toFlat(message.headers)
    }
    if (exchange.uploading && raw.req.httpVersionMajor === 1) out.push('connection', 'close')
    // The reason phrase is not passed on: it may hold what Node refuses to write, and HTTP/2 has none.
    raw.writeHead(status, out)
    reply.hijack()
    if (exchange.expected === -1) process.nextTick(flushHeaders, exchange)
  },

  data(exchange, controller, chunk) {
    const { raw } = exchange.reply
    // With the last chunk, header and body leave in one write.
    if (exchange.written === exchange.expected) raw.end(chunk)
    else if (!raw.write(chunk)) exchange.pause(controller)
  },

  end(exchange, trailers) {
    const { raw } = exchange.reply
    if (raw.writableEnded) return
    if (exchange.expected === -1 && Object.keys(trailers).length > 0) raw.addTrailers(trailers)
    raw.end()
  },

  abandon(exchange, error) {
    const { raw } = exchange.reply
    if (!raw.headersSent) return true
    // With an error: on HTTP/2 a bare destroy would look like a clean end.
    raw.destroy(error)
    return false
  },
}
