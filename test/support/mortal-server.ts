import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'

/** A server that can be killed, and brought back to life at the same address: `url`, as `unusedOrigin` gives one. */
export class MortalServer {
  readonly url: string
  readonly #listener: RequestListener
  readonly #options: ServerOptions
  #server: Server | undefined

  constructor(url: string, listener: RequestListener, options: ServerOptions = {}) {
    this.url = url
    this.#listener = listener
    this.#options = options
  }

  /** Listens, again perhaps. */
  async live(): Promise<void> {
    const server = createServer(this.#options, this.#listener)
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(Number(new URL(this.url).port), '127.0.0.1', resolve)
    })
  }

  /** Stops listening and cuts every connection. */
  async die(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }
}
