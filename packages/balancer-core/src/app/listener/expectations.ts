import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { stopUploadAfter } from '../../exchange/closing/upload-stop.ts'
import { speaksHttp2 } from './server-kind.ts'

/**
 * Answers 417 to an `Expect` that nobody knows (RFC 9110 §10.1.1). Node does so as well, but over HTTP/2 it leaves the stream
 * open, for a body that nobody wants.
 */
export function refuseExpectations(server: Server): void {
  if (!speaksHttp2(server) || server.listenerCount('checkExpectation') > 0) return
  ;(server as Server).on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    stopUploadAfter(response)
    response.writeHead(417)
    response.end()
  })
}
