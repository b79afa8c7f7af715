import type { Balancer, ExchangeView } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { backendFamilies } from './families/backend-families.ts'
import { balancerFamilies } from './families/balancer-families.ts'
import { checkFamilies } from './families/check-families.ts'
import { bytesOf, possibleForm, type Form } from './exposition/exposition.ts'
import { Family } from './families/family.ts'
import type { ParsedOptions } from './options.ts'
import { Sources } from './families/sources.ts'

const exchangeEnd = 'balancer-core:exchange:end'

function namesIn(registry: Registry): string[] {
  return registry.getMetricsAsArray().map(({ name }) => name)
}

/** The metrics of every balancer of one server. */
export class BalancerMetrics {
  /** Where they are: the one of the options, or an own one. Metrics of an app's own can be put there too. */
  readonly registry: Registry
  readonly #app: FastifyInstance
  readonly #sources: Sources
  /** What was put into the registry here. */
  readonly #names: readonly string[]
  readonly #onExchangeEnd = (message: unknown) => this.#count((message as { exchange: ExchangeView }).exchange)

  /** @throws Error when the registry has a metric of the same name, as one that is shared by two servers has */
  constructor(app: FastifyInstance, { registry = new Registry(), defaultMetrics, buckets }: ParsedOptions) {
    this.registry = registry
    this.#app = app
    this.#sources = new Sources(app, buckets)
    const others = new Set(namesIn(registry))
    const all = [balancerFamilies, backendFamilies, checkFamilies].flatMap((families) => families(this.#sources))
    for (const options of all) new Family(options).registerIn(registry)
    if (defaultMetrics) collectDefaultMetrics({ register: registry })
    this.#names = namesIn(registry).filter((name) => !others.has(name))
  }

  /** The form in which the registry can be written, if not in the one that is wanted. */
  formFor(wanted: Form): Form {
    return possibleForm(this.registry, wanted)
  }

  /** All of the registry, as it is now. @throws Error when it cannot be written in that form, see `formFor` */
  async text(form: Form = 'prometheus'): Promise<string> {
    return (await this.bytes(form)).toString()
  }

  /** The same in UTF-8. */
  bytes(form: Form): Promise<Buffer> {
    return bytesOf(this.registry, form)
  }

  /** Begins to count. Called once all balancers are there. */
  start(): void {
    for (const balancer of this.#sources.balancers) this.#sources.trafficOf(balancer)
    subscribe(exchangeEnd, this.#onExchangeEnd)
  }

  /** For good. A registry of the app's own is as it was: the next server may use it. */
  stop(): void {
    unsubscribe(exchangeEnd, this.#onExchangeEnd)
    for (const name of this.#names) this.registry.removeSingleMetric(name)
  }

  #count(exchange: ExchangeView): void {
    // A channel is the whole process's, and another server may have a balancer of the same name.
    if (!this.#app.balancerServers.has(exchange.request.server.server)) return
    const balancer: Balancer | undefined = this.#app.balancers.get(exchange.balancerName)
    if (balancer !== undefined) this.#sources.trafficOf(balancer).exchangeEnded(exchange)
  }
}
