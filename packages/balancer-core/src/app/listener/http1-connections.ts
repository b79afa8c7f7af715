import type { Server as NetServer, Socket } from 'node:net'
import type { Clock } from '../../clock.ts'
import { eachHttp1Connection } from './server-kind.ts'

/** A connection as Node's HTTP server has it: what was upgraded has no parser any more. */
interface ParsedSocket extends Socket {
  readonly parser?: unknown
  /** The response that is under way. */
  readonly _httpMessage?: unknown
}

/** It waits for the rest of a request's head, or for all of it. */
function isBetweenRequests({ parser, _httpMessage }: ParsedSocket): boolean {
  return (parser ?? undefined) !== undefined && (_httpMessage ?? undefined) === undefined
}

/**
 * The connections of HTTP/1.1 clients. Of those without a request, a closing server of Node's waits for all that have sent
 * a part of a request's head, and Node 22 for those that have sent nothing; and no time limit holds any more.
 */
export class Http1Connections {
  readonly #sockets = new Set<ParsedSocket>()

  observe(server: NetServer): void {
    eachHttp1Connection(server, (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  /** Closes those that have sent nothing; and in so many ms, those that have still not sent a whole head. Answers how to stop waiting. */
  close(clock: Clock, rest: number): () => void {
    for (const socket of this.#sockets) if (socket.bytesRead === 0 && isBetweenRequests(socket)) socket.destroy()
    if (this.#sockets.size === 0) return () => {}
    const timer = clock.setTimeout(() => {
      for (const socket of this.#sockets) if (isBetweenRequests(socket)) socket.destroy()
    }, rest)
    return () => clock.clearTimeout(timer)
  }
}
