import type { Server as NetServer, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { hasTls } from './server-kind.ts'

/** As Node keeps what a TLS connection was made of. */
type Secured = TLSSocket & { readonly _parent?: Socket }

/**
 * The connections on which TLS has not begun to work yet. A closing server waits for them, for two minutes unless
 * `handshakeTimeout` says otherwise.
 */
export class Handshakes {
  readonly #sockets = new Set<Socket>()
  #known = true

  observe(server: NetServer): void {
    if (!hasTls(server)) return
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.on('secureConnection', ({ _parent: parent }: Secured) => {
      // Where Node keeps it elsewhere, nothing here is known to have no request.
      this.#known &&= parent !== undefined
      if (parent !== undefined) this.#sockets.delete(parent)
    })
  }

  /** Closes them: nobody has asked for anything there. */
  close(): void {
    if (this.#known) for (const socket of this.#sockets) socket.destroy()
  }
}
