import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'

/**
 * While the app closes, ends a connection after its response: further requests would be refused, and the listener waits
 * for it.
 */
export function closeConnection({ httpVersionMajor, socket }: IncomingMessage): void {
  // An HTTP/2 connection carries other requests; `inject` has none.
  if (httpVersionMajor === 1 && socket instanceof Socket) socket.end()
}
