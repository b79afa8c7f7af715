import type { Balancer, Clock } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** How a drain of the whole server goes on. */
export interface ServerDrainOptions {
  /** Until connections are told to close, in ms: whoever asks `/ready` needs time to notice. */
  readonly grace: number
  /** Close the app then. */
  readonly close: boolean
}

/** Node says `Connection: close` by itself where a connection is not to be kept. */
function doNotKeep(request: IncomingMessage, response: ServerResponse): void {
  if (request.httpVersionMajor === 1) response.shouldKeepAlive = false
}

/**
 * Is the whole server in use, or to be left alone? While it drains it goes on answering: `/ready` says no at once; once that
 * was noticed, clients lose their connections with the answers that they get, and come back elsewhere.
 */
export class ServerState {
  readonly #app: FastifyInstance
  #state: 'ready' | 'drain' = 'ready'
  #closesConnections = false
  #timer: { readonly clock: Clock; readonly handle: unknown } | undefined

  constructor(app: FastifyInstance) {
    this.#app = app
    app.addHook('onClose', async () => this.ready())
  }

  get state(): 'ready' | 'drain' {
    return this.#state
  }

  /** Clients are told to close their connections. */
  get closesConnections(): boolean {
    return this.#closesConnections
  }

  /** Requests on their way through, of all balancers. */
  get exchanges(): number {
    let sum = 0
    for (const { exchanges } of this.#app.balancers.values()) sum += exchanges
    return sum
  }

  /** Begins to drain; ordered again, the grace begins anew. */
  drain({ grace, close }: ServerDrainOptions): void {
    this.#state = 'drain'
    this.#stopTimer()
    if (grace === 0) {
      this.#endGrace(close)
      return
    }
    const { clock } = this.#app.balancers.values().next().value as Balancer
    this.#timer = { clock, handle: clock.setTimeout(() => this.#endGrace(close), grace) }
  }

  /** In use again. */
  ready(): void {
    this.#state = 'ready'
    this.#stopTimer()
    this.#closesConnections = false
    this.#app.server.off('request', doNotKeep)
  }

  #endGrace(close: boolean): void {
    this.#timer = undefined
    if (!this.#closesConnections) this.#app.server.prependListener('request', doNotKeep)
    this.#closesConnections = true
    if (!close) return
    this.#app.log.info(`drained as ordered: closing, with ${this.exchanges} requests in flight`)
    void this.#app.close()
  }

  #stopTimer(): void {
    this.#timer?.clock.clearTimeout(this.#timer.handle)
    this.#timer = undefined
  }
}
