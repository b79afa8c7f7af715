import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** A backend that counts what it gets. */
export class CountingBackend {
  readonly id: string
  /** But for probes. */
  requests = 0
  probes = 0
  /** Connections that have carried a request, and those of them that have ended. */
  connections = 0
  ended = 0
  readonly #server: Server
  readonly #carried = new WeakSet<Socket>()

  private constructor(id: string) {
    this.id = id
    this.#server = createServer((request, response) => {
      this.#count(request)
      response.end(id)
    })
    // Connections end when the balancer ends them, and only then.
    this.#server.keepAliveTimeout = 0
  }

  static async start(id: string): Promise<CountingBackend> {
    const backend = new CountingBackend(id)
    await once(backend.#server.listen(0, '127.0.0.1'), 'listening')
    return backend
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  #count({ method, socket }: IncomingMessage): void {
    // Each probe has a connection of its own.
    if (method === 'HEAD') return void this.probes++
    this.requests++
    if (this.#carried.has(socket)) return
    this.#carried.add(socket)
    this.connections++
    socket.once('close', () => this.ended++)
  }
}

export const startCountingBackends = (): Promise<CountingBackend[]> =>
  Promise.all(['a', 'b', 'c'].map((id) => CountingBackend.start(id)))
