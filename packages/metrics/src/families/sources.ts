import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import { CheckCounts } from '../traffic/check-counts.ts'
import { RefusedChanges } from '../traffic/refused-changes.ts'
import { Traffic } from '../traffic/traffic.ts'

/** Under which a balancer has it among its extensions: those get the results of probes. */
const extensionKey = 'metrics'

/** The part of a circuit breaker that is read. By shape, since that package is optional. */
export interface Circuits {
  /** @throws Error for a backend that has none */
  of(id: string): { readonly state: string }
}

/** The part of a health check that is read, likewise. Durations in ms. */
export interface Health {
  of(id: string): {
    readonly passive: { readonly everEjected: number }
    readonly active:
      | { readonly lastProbe: { readonly good: boolean; readonly timings: { readonly took: number } } | undefined }
      | undefined
  }
}

/** What has become of the copies to one server, likewise. */
export interface MirrorCounts {
  readonly url: string
  readonly inFlight: number
  readonly sent: number
  readonly dropped: Readonly<Record<string, number>>
  readonly outcomes: Readonly<Record<string, number>>
}

/** What sheds load for the whole server, likewise. */
interface Shedding {
  readonly total: number
}

/**
 * With more backends than this, in all balancers together, a counter of a backend has a line only once it is above 0. Lines
 * that say 0 are more than a quarter of a scrape: 1.6 of 5.6 MB with 1 000 backends, 16 of 56 MB with 10 000.
 */
const mostForeseen = 1000

/** The sources of all values: the balancers of a server, their traffic, and other plugins' data about them. */
export class Sources {
  readonly #app: FastifyInstance
  readonly #bounds: readonly number[]
  readonly #traffic = new Map<Balancer, Traffic>()
  readonly #checks = new Map<Balancer, CheckCounts>()
  readonly #refused = new Map<Balancer, RefusedChanges>()

  /** `bounds` of all histograms, in seconds. */
  constructor(app: FastifyInstance, bounds: readonly number[]) {
    this.#app = app
    this.#bounds = bounds
  }

  /** Every balancer of the server, including later ones. */
  get balancers(): Iterable<Balancer> {
    return this.#app.balancers.values()
  }

  /** Do counters of backends exist before anything has happened? */
  get foresees(): boolean {
    let backends = 0
    for (const { set } of this.balancers) backends += set.all.length
    return backends <= mostForeseen
  }

  /** How many requests were refused since the process was overloaded; undefined where nothing sheds load. */
  get shed(): number | undefined {
    return (this.#app as { readonly balancerShedding?: Shedding }).balancerShedding?.total
  }

  /** The traffic of a balancer, counted from the first call on. */
  trafficOf(balancer: Balancer): Traffic {
    const known = this.#traffic.get(balancer)
    if (known !== undefined) return known
    const traffic = new Traffic(this.#bounds)
    this.#traffic.set(balancer, traffic)
    balancer.addHook('onAttemptResponse', function metrics(attempt) {
      traffic.attemptResponded(attempt)
    })
    return traffic
  }

  /** The changes of it that were refused. */
  refusedOf(balancer: Balancer): RefusedChanges {
    let refused = this.#refused.get(balancer)
    if (refused === undefined) this.#refused.set(balancer, (refused = new RefusedChanges()))
    return refused
  }

  /** What checks find of its backends, counted from the first call on. */
  checksOf(balancer: Balancer): CheckCounts {
    const known = this.#checks.get(balancer)
    if (known !== undefined) return known
    const counts = new CheckCounts()
    this.#checks.set(balancer, counts)
    // Another server that shares this balancer may count, too.
    let key = extensionKey
    for (let number = 2; balancer.extensions.has(key); number++) key = `${extensionKey}-${number}`
    balancer.extensions.set(key, counts)
    return counts
  }

  /** Counts what checks find no longer. */
  stop(): void {
    for (const [{ extensions }, counts] of this.#checks)
      for (const [key, extension] of extensions) if (extension === counts) extensions.delete(key)
  }

  circuitsOf({ extensions }: Balancer): Circuits | undefined {
    return extensions.get('circuit-breaker') as Circuits | undefined
  }

  mirrorsOf({ extensions }: Balancer): readonly MirrorCounts[] {
    const mirror = extensions.get('mirror') as { readonly views: readonly MirrorCounts[] } | undefined
    return mirror?.views ?? []
  }

  healthOf({ extensions }: Balancer): Health | undefined {
    return extensions.get('health-check') as Health | undefined
  }
}
