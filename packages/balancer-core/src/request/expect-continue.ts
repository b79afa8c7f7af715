import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/**
 * Tells a client that waits with its body (`expect: 100-continue`) to go on when somebody begins to read it, rather than
 * at once as Node does: a parser of the app's, or the connection to a backend (over HTTP/1.1, once that has asked for the
 * body: `held-body.ts`). Whoever answers without reading has not asked for it. (RFC 9110 §10.1.1.)
 */
export function continueWhenRead(server: Server): void {
  // Somebody else, or another balancer of this server, has taken it in hand.
  if (server.listenerCount('checkContinue') > 0) return
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    const read = request._read.bind(request)
    request._read = (size) => {
      request._read = read
      if (!response.headersSent && !response.destroyed) response.writeContinue()
      read(size)
    }
    server.emit('request', request, response)
  })
}
