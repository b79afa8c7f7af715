import type { Balancer, Clock } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server, ServerResponse } from 'node:http'

/** How a drain of the whole server goes on. */
export interface ServerDrainOptions {
  /** Until connections are told to close, in ms: whoever asks `/ready` needs time to notice. */
  readonly grace: number
  /** Close the app then. */
  readonly close: boolean
}

/** Told by Node itself of each request over HTTP/1, before anybody has answered it. */
const requestStart = 'http.server.request.start'

/**
 * Is the whole server in use, or to be left alone? While it drains it goes on answering: `/ready` says no at once; once that
 * was noticed, clients lose their connections with the answers that they get, and come back elsewhere.
 */
export class ServerState {
  readonly #app: FastifyInstance
  #state: 'ready' | 'drain' = 'ready'
  #closesConnections = false
  #closesConnectionsAt: number | undefined
  #closesApp = false
  #timer: { readonly clock: Clock; readonly handle: unknown } | undefined

  /** See `serverStateOf`. */
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

  /** When they will be told, in ms since the epoch; undefined where they are told already, or not going to be. */
  get closesConnectionsAt(): number | undefined {
    return this.#closesConnectionsAt
  }

  /** The app closes then. */
  get closesApp(): boolean {
    return this.#closesApp
  }

  /** Requests on their way through, of all balancers. */
  get exchanges(): number {
    let sum = 0
    for (const { exchanges } of this.#app.balancers.values()) sum += exchanges
    return sum
  }

  /** Begins to drain; ordered again, the grace begins anew, but connections that are being closed stay so. */
  drain({ grace, close }: ServerDrainOptions): void {
    this.#stopTimer()
    this.#state = 'drain'
    this.#closesApp = close
    if (grace === 0) {
      this.#endGrace()
      return
    }
    const { clock } = this.#app.balancers.values().next().value as Balancer
    this.#timer = { clock, handle: clock.setTimeout(() => this.#endGrace(), grace) }
    if (!this.#closesConnections) this.#closesConnectionsAt = Date.now() + grace
  }

  /** In use again. */
  ready(): void {
    this.#stopTimer()
    this.#state = 'ready'
    this.#closesApp = false
    this.#closesConnections = false
    unsubscribe(requestStart, this.#doNotKeep)
  }

  #endGrace(): void {
    this.#stopTimer()
    if (!this.#closesConnections) subscribe(requestStart, this.#doNotKeep)
    this.#closesConnections = true
    if (this.#closesApp) void this.#closeApp()
  }

  async #closeApp(): Promise<void> {
    const { log } = this.#app
    log.info(`drained as ordered: closing, with ${this.exchanges} requests in flight`)
    try {
      await this.#app.close()
    } catch (error) {
      log.error({ err: error }, 'closing, as ordered, has failed')
    }
  }

  /** Node says `Connection: close` by itself where a connection is not to be kept. The channel is the process's. */
  readonly #doNotKeep = (message: unknown) => {
    const { server, response } = message as { readonly server: Server; readonly response: ServerResponse }
    if (this.#app.balancerServers.has(server)) response.shouldKeepAlive = false
  }

  #stopTimer(): void {
    this.#timer?.clock.clearTimeout(this.#timer.handle)
    this.#timer = undefined
    this.#closesConnectionsAt = undefined
  }
}

const byServer = new WeakMap<FastifyInstance['server'], ServerState>()

/** The state of an app's server: one, however many admin routes there are. */
export function serverStateOf(app: FastifyInstance): ServerState {
  let state = byServer.get(app.server)
  if (state === undefined) byServer.set(app.server, (state = new ServerState(app)))
  return state
}
