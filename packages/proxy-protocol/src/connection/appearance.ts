import type { Socket } from 'node:net'
import type { Ends } from '../header/ends.ts'

/** Lets a socket say that it has these ends. */
export function appear(socket: Socket, { family, client, server }: Ends): void {
  const shown = {
    remoteAddress: client.address,
    remotePort: client.port,
    remoteFamily: family,
    localAddress: server.address,
    localPort: server.port,
    localFamily: family,
  }
  for (const [name, value] of Object.entries(shown))
    Object.defineProperty(socket, name, { value, configurable: true, enumerable: true })
}
