import type { Balancer, Clock } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server, ServerResponse } from 'node:http'

/** Options of a server drain. */
export interface ServerDrainOptions {
  /** Time until connections are closed, in ms: load balancers that check `/ready` need time to notice. */
  readonly grace: number
  /** Close the app after `grace`. */
  readonly close: boolean
}

/** Message of the channel `admin-routes:server-state`. */
export interface ServerStateNotice {
  readonly server: FastifyInstance['server']
  readonly state: 'ready' | 'drain'
}

/** The diagnostics channel `admin-routes:server-state`: one message whenever the server begins to drain, or is ready again. */
const states = channel<unknown, ServerStateNotice>('admin-routes:server-state')

/** Node's own channel: each HTTP/1 request, before it is answered. */
const requestStart = 'http.server.request.start'

/**
 * The state of the whole server: ready, or draining. While draining it still answers requests, but `/ready` answers 503 at
 * once; after the grace period, responses carry `Connection: close`, so that clients reconnect elsewhere.
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

  /** Responses carry `Connection: close`. */
  get closesConnections(): boolean {
    return this.#closesConnections
  }

  /** When responses will begin to carry it, in ms since the epoch; undefined if they already do, or if not draining. */
  get closesConnectionsAt(): number | undefined {
    return this.#closesConnectionsAt
  }

  /** The app will be closed after the grace period. */
  get closesApp(): boolean {
    return this.#closesApp
  }

  /** Requests in progress, of all balancers. */
  get exchanges(): number {
    let sum = 0
    for (const { exchanges } of this.#app.balancers.values()) sum += exchanges
    return sum
  }

  /** Of those, open tunnels. */
  get tunnels(): number {
    let sum = 0
    for (const { tunnels } of this.#app.balancers.values()) sum += tunnels.size
    return sum
  }

  /** Starts to drain. A second order restarts the grace period, but connections that are already being closed stay so. */
  drain({ grace, close }: ServerDrainOptions): void {
    this.#stopTimer()
    this.#become('drain')
    this.#closesApp = close
    if (grace === 0) {
      this.#endGrace()
      return
    }
    const { clock } = this.#app.balancers.values().next().value as Balancer
    this.#timer = { clock, handle: clock.setTimeout(() => this.#endGrace(), grace) }
    if (!this.#closesConnections) this.#closesConnectionsAt = Date.now() + grace
  }

  /** Ends the drain. */
  ready(): void {
    this.#stopTimer()
    this.#become('ready')
    this.#closesApp = false
    this.#closesConnections = false
    unsubscribe(requestStart, this.#doNotKeep)
  }

  #become(state: ServerStateNotice['state']): void {
    if (state === this.#state) return
    this.#state = state
    if (states.hasSubscribers) states.publish({ server: this.#app.server, state })
  }

  #endGrace(): void {
    this.#stopTimer()
    if (!this.#closesConnections) subscribe(requestStart, this.#doNotKeep)
    this.#closesConnections = true
    if (this.#closesApp) void this.#closeApp()
  }

  async #closeApp(): Promise<void> {
    const { log } = this.#app
    const { exchanges, tunnels } = this
    const open = tunnels === 0 ? '' : `, ${tunnels} of them tunnels`
    log.info(`server drained: closing, ${exchanges} requests in flight${open}`)
    try {
      await this.#app.close()
    } catch (error) {
      log.error({ err: error }, 'closing after the drain failed')
    }
  }

  /** Without keep-alive, Node sends `Connection: close` by itself. The channel is process-wide. */
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

/** The state of an app's server; shared if admin routes are registered several times. */
export function serverStateOf(app: FastifyInstance): ServerState {
  let state = byServer.get(app.server)
  if (state === undefined) byServer.set(app.server, (state = new ServerState(app)))
  return state
}
