import type { Server } from 'node:http'

/**
 * Lets requests have as many fields as fit into Node's `maxHeaderSize`. By default Node 22 keeps the first 1000 and drops
 * the others without a word, even a `content-length` or `transfer-encoding`, so that a body would be lost. A limit that
 * the app has set stays.
 */
export function keepAllFields(server: Server): void {
  // A server of HTTP/2 has no such limit.
  if (server.maxHeadersCount === null) server.maxHeadersCount = 0
}
