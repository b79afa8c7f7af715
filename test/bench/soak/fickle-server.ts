import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'

/** A server on the loopback that can restart as if its process had crashed. */
export class FickleServer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  async start(port = 0): Promise<number> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** Cuts every connection, and listens again on the same port. */
  async restart(): Promise<void> {
    const { port } = this.#server.address() as AddressInfo
    const closed = new Promise((resolve) => void this.#server.close(resolve))
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await closed
    await this.start(port)
  }
}
