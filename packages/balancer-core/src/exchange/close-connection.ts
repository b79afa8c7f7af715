import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'

/** While an app closes, ends the connection of a request that was answered: a next one would not be taken, and the listener waits. */
export function closeConnection({ httpVersionMajor, socket }: IncomingMessage): void {
  // HTTP/2 has others on it; what `inject` asks has none.
  if (httpVersionMajor === 1 && socket instanceof Socket) socket.end()
}
