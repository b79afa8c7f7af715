import type { Server } from 'node:http'

/**
 * Lets requests have as many fields as fit into Node's `maxHeaderSize`. By default Node 22 keeps the first 1000 and
 * drops the others silently, even a `content-length` or `transfer-encoding`, so that a body would be lost. A limit that
 * the app has set stays.
 */
export function keepAllFields(server: Server): void {
  // HTTP/2 servers have no such limit.
  if (server.maxHeadersCount === null) server.maxHeadersCount = 0
}
