import type { ServerHttp2Session } from 'node:http2'
import type { Server as NetServer, Socket } from 'node:net'
import type { Clock } from '../../clock.ts'
import { breakOff } from './connection-age.ts'
import { eachHttp2Connection, speaksHttp2 } from './server-kind.ts'

/** How long a client may take to close its side of a session that has ended (ms), as nginx's `lingering_timeout`. */
const lingering = 5000

/** The connections of HTTP/2 clients. */
export class Http2Sessions {
  readonly #sessions = new Set<ServerHttp2Session>()
  /** Kept here: a closed session no longer gives access to its socket, and Node then waits for the client to close. */
  readonly #sockets = new Set<Socket>()

  observe(server: NetServer): void {
    if (!speaksHttp2(server)) return
    eachHttp2Connection(server, (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    ;(server as NetServer).on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
    })
  }

  /**
   * Tells clients to use new connections for further requests (GOAWAY), and closes each once it has no request in progress.
   *
   * RFC 9113 §6.8 recommends a first GOAWAY with the highest stream id, which would allow what the client is sending at this
   * moment. Node cannot keep that promise: after any GOAWAY, nghttp2 silently drops new streams, and clients would wait
   * for them. So they get the id of the last request that is served, as nginx does it, and know that they may send all
   * later ones again elsewhere, whatever the method (§8.7). A closing app would have answered them with 503.
   */
  goAway(): void {
    for (const session of this.#sessions) session.close()
  }

  /**
   * Closes what has come since, and cuts connections off: those with requests in progress at the deadline (ms; 0 = never),
   * those without soon, whatever the client does. Returns a function that stops all that.
   */
  close(clock: Clock, deadline: number): () => void {
    this.goAway()
    const timers: unknown[] = []
    for (const socket of this.#sockets) {
      const cutSoon = () => void timers.push(clock.setTimeout(() => socket.destroy(), lingering))
      if (socket.writableFinished) cutSoon()
      else socket.once('finish', cutSoon)
    }
    if (deadline > 0 && this.#sockets.size > 0)
      timers.push(
        clock.setTimeout(() => {
          for (const session of this.#sessions) breakOff(session)
          for (const socket of this.#sockets) socket.destroy()
        }, deadline),
      )
    return () => {
      for (const timer of timers) clock.clearTimeout(timer)
    }
  }
}
