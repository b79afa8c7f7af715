import balancer, { type Balancer, type BalancerOptions } from '@fastify-balancer/balancer-core'
import adminRoutes, { type AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import circuitBreaker, { type CircuitBreakerOptions, type CircuitView } from '@fastify-balancer/circuit-breaker'
import healthCheck, { type HealthCheckOptions } from '@fastify-balancer/health-check'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { unusedOrigin } from '../../../../test/support/backend.ts'
import dashboard from '../../src/index.ts'
import { buildPage } from './built-page.ts'
import { Load } from './load.ts'
import { MortalBackend } from './mortal-backend.ts'
import { mustOperate, mustSignIn, userOf } from './users.ts'
import { visit, type Visit, type VisitOptions } from './visit.ts'

/** What a browser says by itself of a server that is away. */
export const away: readonly RegExp[] = [/^console: Failed to load resource: net::ERR_/, /^request failed: net::ERR_/]

export interface StageOptions {
  /** The ids of the backends; undefined = one that is called by its origin. */
  readonly ids?: readonly (string | undefined)[]
  readonly balancer?: BalancerOptions
  readonly health?: HealthCheckOptions
  readonly circuits?: CircuitBreakerOptions
  readonly events?: NonNullable<AdminRoutesOptions['events']>
  /** Backends take so long to answer (ms). */
  readonly delay?: number
  /** Says whether the process cannot keep up. Without it, nobody looks after the process. */
  readonly isOverloaded?: () => boolean
  /** A second balancer, with the same backends, is found under this name and at this path. */
  readonly second?: string
}

/** A backend that dies is found out within two intervals, by probes alone, and one that is back within one. */
const probing = {
  interval: 100,
  fastInterval: 100,
  downInterval: 100,
  timeout: 10_000,
  rise: 1,
  fall: 2,
  jitter: 0,
  outliers: { consecutive: { failures: 0, unreached: 0 } },
}

const quick = { openFor: 300, jitter: 0 }

/** An app with all packages as a user registers them, its backends, and whoever looks at the page. */
export class Stage {
  readonly backends: readonly MortalBackend[]
  readonly origin: string
  readonly #options: StageOptions
  readonly #sockets = new Set<Socket>()
  readonly #t: TestContext
  readonly #endings: (() => unknown)[] = []
  #app: FastifyInstance | undefined

  private constructor(t: TestContext, options: StageOptions, backends: readonly MortalBackend[], origin: string) {
    this.#t = t
    this.#options = options
    this.backends = backends
    this.origin = origin
  }

  /** Starts all of it; it ends with the test, what was begun last first. */
  static async start(t: TestContext, options: StageOptions = {}): Promise<Stage> {
    await buildPage()
    const { ids = ['alpha', 'beta', 'gamma', 'delta'], delay = 10 } = options
    const backends: MortalBackend[] = []
    // One after the other: each looks for a port that nobody uses.
    for (const id of ids) backends.push(await MortalBackend.start(id, delay))
    const stage = new Stage(t, options, backends, await unusedOrigin())
    t.after(() => stage.#end())
    await stage.startApp()
    return stage
  }

  get balancer(): Balancer {
    return this.#app!.balancer
  }

  get balancers(): ReadonlyMap<string, Balancer> {
    return this.#app!.balancers
  }

  /** The circuit of a backend of the default balancer. */
  circuitOf(id: string): CircuitView {
    return this.#app!.circuitBreakers.get('default')!.of(id)
  }

  /** @throws when there is no such backend */
  backend(id: string): MortalBackend {
    const backend = this.backends.find((one) => one.id === id)
    if (backend === undefined) throw new Error(`no backend '${id}'`)
    return backend
  }

  /** Lets the app listen, at the same address each time. */
  async startApp(): Promise<void> {
    const app = Fastify()
    const { balancer: balanced, health, circuits, events = {}, isOverloaded, second } = this.#options
    if (isOverloaded !== undefined) {
      // As @fastify/under-pressure does, which says so when it is so, and not when a test would have it.
      app.decorate('memoryUsage', () => ({ eventLoopDelay: 12, eventLoopUtilized: 0.5, heapUsed: 2e7, rssBytes: 9e7 }))
      app.decorate('isUnderPressure', isOverloaded)
    }
    const names = second === undefined ? ['default'] : ['default', second]
    for (const name of names) {
      const prefix = name === 'default' ? '/' : `/${name}`
      const backends = this.backends.map(({ id, url }) => ({ id, url }))
      await app.register(balancer, { name, prefix, backends, ...balanced })
      await app.register(healthCheck, { balancer: name, ...probing, ...health })
      await app.register(circuitBreaker, { balancer: name, ...quick, ...circuits })
    }
    const user = userOf
    await app.register(adminRoutes, { onRequest: mustSignIn, operate: { onRequest: mustOperate }, user, events })
    await app.register(dashboard, { onRequest: mustSignIn })
    app.server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    await app.listen({ host: '127.0.0.1', port: Number(new URL(this.origin).port) })
    this.#app = app
  }

  /** Stops the app, with every connection. */
  async stopApp(): Promise<void> {
    const closed = this.#app?.close()
    this.cut()
    await closed
    this.#app = undefined
  }

  /** Destroys every connection to the app. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Some clients ask without end, until the test ends. */
  load(clients = 2, path = '/'): Load {
    const load = new Load(`${this.origin}${path}`, clients)
    this.#endings.push(() => load.stop())
    return load
  }

  /** Somebody opens the page. Whatever goes wrong on it fails the test when it ends. */
  async visit(options: VisitOptions = {}): Promise<Visit> {
    const visited = await visit(this.origin, options)
    this.#endings.push(() => visited.end(this.#t))
    return visited
  }

  async #end(): Promise<void> {
    const errors: unknown[] = []
    for (const backend of this.backends) backend.release()
    const all = [
      ...this.#endings.toReversed(),
      () => this.stopApp(),
      ...this.backends.map((backend) => () => backend.die()),
    ]
    for (const end of all) {
      try {
        await end()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
