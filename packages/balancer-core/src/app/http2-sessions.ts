import { Server } from 'node:http'
import type { Http2Session } from 'node:http2'
import { Server as SecureServer } from 'node:https'
import type { Server as NetServer, Socket } from 'node:net'
import type { Clock } from '../clock.ts'

/**
 * Highest stream id for the GOAWAY: streams that the client may have opened meanwhile are not refused (RFC 9113 §6.8).
 */
const lastStream = 2 ** 31 - 1

/**
 * The connections of HTTP/2 clients. Node closes idle ones together with their server only from version 24 on; before,
 * the server waits for them.
 */
export class Http2Sessions {
  readonly #sessions = new Set<Http2Session>()
  /**
   * The socket, kept here: a closed session no longer gives access to it, and Node then waits for the client to close.
   */
  readonly #sockets = new Set<Socket>()

  observe(server: NetServer): void {
    if (server instanceof Server || server instanceof SecureServer) return
    const add = (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    }
    // A server with TLS emits both events; by the second one, the first socket has no handle any more.
    server.on('connection', add).on('secureConnection', add)
    server.on('session', (session: Http2Session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
    })
  }

  /** Tells clients to use new connections for further requests (GOAWAY). */
  goAway(): void {
    for (const session of this.#sessions) if (!session.destroyed && !session.closed) session.goaway(0, lastStream)
  }

  /**
   * Closes each session once it has no request in progress, or at the deadline (ms; 0 = never), whatever the client
   * does. Returns a function that cancels the deadline.
   */
  close(clock: Clock, deadline: number): () => void {
    for (const session of this.#sessions) session.close()
    if (deadline === 0 || this.#sockets.size === 0) return () => {}
    const timer = clock.setTimeout(() => {
      for (const session of this.#sessions) session.destroy()
      for (const socket of this.#sockets) socket.destroy()
    }, deadline)
    return () => clock.clearTimeout(timer)
  }
}
