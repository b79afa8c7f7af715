import type { Server } from 'node:http'
import type { Http2Session } from 'node:http2'
import type { Clock } from '../clock.ts'

/** No stream is refused that the client may have begun meanwhile (RFC 9113 §6.8). */
const lastStream = 2 ** 31 - 1

/**
 * The connections of HTTP/2 clients. Node closes idle ones together with their server only from version 24 on; before,
 * the server waits for them.
 */
export class Http2Sessions {
  readonly #sessions = new Set<Http2Session>()

  observe(server: Server): void {
    server.on('session', (session: Http2Session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
    })
  }

  /** Tells clients to open other connections for what is to come. */
  goAway(): void {
    for (const session of this.#sessions) if (!session.destroyed && !session.closed) session.goaway(0, lastStream)
  }

  /** Closes each once it has nothing under way, or at the deadline (ms; 0 = never). Answers how to stop waiting for that. */
  close(clock: Clock, deadline: number): () => void {
    for (const session of this.#sessions) session.close()
    if (deadline === 0 || this.#sessions.size === 0) return () => {}
    const timer = clock.setTimeout(() => {
      for (const session of this.#sessions) session.destroy()
    }, deadline)
    return () => clock.clearTimeout(timer)
  }
}
