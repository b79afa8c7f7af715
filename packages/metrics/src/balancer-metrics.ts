import type { Balancer, ExchangeView } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { backendFamilies } from './families/backend-families.ts'
import { balancerFamilies } from './families/balancer-families.ts'
import { checkFamilies } from './families/check-families.ts'
import { instanceFamilies } from './families/instance-families.ts'
import { fleetOf } from './instances/fleet.ts'
import { Instances } from './instances/instances.ts'
import { bytesOf, possibleForm, type Form } from './exposition/exposition.ts'
import { Family } from './families/family.ts'
import { listFamilies } from './families/list-families.ts'
import { mirrorFamilies } from './families/mirror-families.ts'
import { queueFamilies } from './families/queue-families.ts'
import type { ParsedOptions } from './options.ts'
import { Sources } from './families/sources.ts'
import type { Traffic } from './traffic/traffic.ts'

const exchangeEnd = 'balancer-core:exchange:end'
const tunnelStart = 'balancer-core:tunnel:start'
const circuitChange = 'circuit-breaker:change'
const changeRefused = 'admin-routes:refused'
const serverState = 'admin-routes:server-state'

/** Message of that channel, as far as it is read. By shape, since that package is optional. */
interface CircuitNotice {
  readonly server?: unknown
  readonly balancer: string
  readonly backend: string
  readonly state: string
  readonly before: string
}

/** Message of the channel of refused changes, likewise. Without a balancer: of the whole server. */
interface RefusalNotice {
  readonly server?: unknown
  readonly balancer?: string
  readonly refused: { readonly statusCode: number }
}

/** Message of the channel of the server's state, likewise. */
interface StateNotice {
  readonly server?: unknown
  readonly state: string
}

function namesIn(registry: Registry): string[] {
  return registry.getMetricsAsArray().map(({ name }) => name)
}

/** The metrics of every balancer of one server. */
export class BalancerMetrics {
  /** The registry of the metrics: that of the options, or a new one. The app can register its own metrics there too. */
  readonly registry: Registry
  readonly #app: FastifyInstance
  readonly #sources: Sources
  /** Undefined without a fleet: then the metrics are of this server alone. */
  readonly #instances: Instances | undefined
  /** Names of the metrics registered here. */
  readonly #names: readonly string[]
  readonly #onExchangeEnd = (message: unknown) => {
    const { exchange } = message as { exchange: ExchangeView }
    this.#trafficOf(exchange)?.exchangeEnded(exchange)
  }
  readonly #onTunnelStart = (message: unknown) => {
    const { exchange } = message as { exchange: ExchangeView }
    this.#trafficOf(exchange)?.tunnelStarted(exchange)
  }
  readonly #onCircuitChange = (message: unknown) => {
    const { server, balancer, backend, state, before } = message as CircuitNotice
    if (state === 'open' && before === 'closed') this.#circuitOpened(server, balancer, backend)
  }
  readonly #onChangeRefused = (message: unknown) => {
    const { server, balancer: name = '', refused } = message as RefusalNotice
    const balancer = this.#ownBalancer(server, name)
    if (balancer !== undefined) this.#sources.refusedOf(balancer).add(refused.statusCode)
  }
  readonly #onServerState = (message: unknown) => {
    const { server, state } = message as StateNotice
    if (this.#isOwn(server)) this.#instances?.drain(state === 'drain')
  }

  /** @throws Error if the registry already has a metric of the same name, e.g. because two servers share it */
  constructor(app: FastifyInstance, { registry = new Registry(), defaultMetrics, buckets }: ParsedOptions) {
    this.registry = registry
    this.#app = app
    this.#sources = new Sources(app, buckets)
    const others = new Set(namesIn(registry))
    const kinds = [balancerFamilies, queueFamilies, listFamilies, backendFamilies, checkFamilies, mirrorFamilies]
    const all = kinds.flatMap((families) => families(this.#sources)).map((options) => new Family(options))
    const fleet = fleetOf(app)
    this.#instances = fleet === undefined ? undefined : new Instances(fleet, registry, this.#sources, all)
    all.push(...instanceFamilies(this.#instances).map((options) => new Family(options)))
    for (const family of all) family.registerIn(registry)
    if (defaultMetrics) collectDefaultMetrics({ register: registry })
    this.#names = namesIn(registry).filter((name) => !others.has(name))
    // Health checks probe before the app is ready, maybe before `start`.
    this.#countAll()
  }

  /** The wanted form, or the other one if the registry cannot be written in it. */
  formFor(wanted: Form): Form {
    return possibleForm(this.registry, wanted)
  }

  /**
   * The current metrics of the registry, and of all instances if this is one of several.
   * @throws Error if it cannot be written in that form, see `formFor`; StoreUnreachableError
   */
  async text(form: Form = 'prometheus'): Promise<string> {
    return (await this.bytes(form)).toString()
  }

  /** The same as UTF-8 bytes. */
  async bytes(form: Form): Promise<Buffer> {
    return bytesOf(this.registry, form, await this.#instances?.collect())
  }

  /** Starts counting. Called once all balancers are registered. */
  start(): void {
    this.#countAll()
    subscribe(circuitChange, this.#onCircuitChange)
    subscribe(changeRefused, this.#onChangeRefused)
    subscribe(serverState, this.#onServerState)
    subscribe(exchangeEnd, this.#onExchangeEnd)
    subscribe(tunnelStart, this.#onTunnelStart)
  }

  /** Stops for good, and removes its metrics from the registry, so that another server can use it. */
  stop(): void {
    this.#instances?.stop()
    this.#sources.stop()
    unsubscribe(circuitChange, this.#onCircuitChange)
    unsubscribe(changeRefused, this.#onChangeRefused)
    unsubscribe(serverState, this.#onServerState)
    unsubscribe(exchangeEnd, this.#onExchangeEnd)
    unsubscribe(tunnelStart, this.#onTunnelStart)
    for (const name of this.#names) this.registry.removeSingleMetric(name)
  }

  #countAll(): void {
    for (const balancer of this.#sources.balancers) {
      this.#sources.trafficOf(balancer)
      this.#sources.checksOf(balancer)
    }
  }

  #circuitOpened(server: unknown, name: string, id: string): void {
    const balancer = this.#ownBalancer(server, name)
    const backend = balancer?.backends.find((one) => one.id === id)
    if (backend !== undefined) this.#sources.checksOf(balancer!).circuitOpened(backend)
  }

  /** Channels are process-wide. */
  #isOwn(server: unknown): boolean {
    return this.#app.balancerServers.has(server as FastifyInstance['server'])
  }

  /** Another server may have a balancer of the same name. */
  #ownBalancer(server: unknown, name: string): Balancer | undefined {
    return this.#isOwn(server) ? this.#app.balancers.get(name) : undefined
  }

  #trafficOf(exchange: ExchangeView): Traffic | undefined {
    const balancer = this.#ownBalancer(exchange.request.server.server, exchange.balancerName)
    return balancer === undefined ? undefined : this.#sources.trafficOf(balancer)
  }
}
