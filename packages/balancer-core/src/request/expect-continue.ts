import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/**
 * Sends `100 Continue` to a client with `Expect: 100-continue` when its body begins to be read, rather than at once as
 * Node does: by a parser of the app, or by the connection to a backend (over HTTP/1.1, once that has asked for the
 * body: `held-body.ts`). A response without reading the body does not ask for it (RFC 9110 §10.1.1).
 */
export function continueWhenRead(server: Server): void {
  // Other code, or another balancer of this server, handles it already.
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
