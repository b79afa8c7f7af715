import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import { Traffic } from '../traffic/traffic.ts'

/** What is read of a circuit breaker. By its shape: that package may be there or not. */
export interface Circuits {
  /** @throws Error for a backend that has none */
  of(id: string): { readonly state: string }
}

/** What is read of a health check, likewise. Durations in ms. */
export interface Health {
  of(id: string): {
    readonly active:
      | { readonly lastProbe: { readonly good: boolean; readonly timings: { readonly took: number } } | undefined }
      | undefined
  }
}

/** Where the figures of a server are: its balancers with their traffic, and what other plugins know of them. */
export class Sources {
  readonly #app: FastifyInstance
  readonly #bounds: readonly number[]
  readonly #traffic = new Map<Balancer, Traffic>()

  /** `bounds` of all histograms, in seconds. */
  constructor(app: FastifyInstance, bounds: readonly number[]) {
    this.#app = app
    this.#bounds = bounds
  }

  /** Every balancer of the server, also those that came after this. */
  get balancers(): Iterable<Balancer> {
    return this.#app.balancers.values()
  }

  /** The traffic of a balancer; it is counted from the first time that this is asked. */
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

  circuitsOf({ extensions }: Balancer): Circuits | undefined {
    return extensions.get('circuit-breaker') as Circuits | undefined
  }

  healthOf({ extensions }: Balancer): Health | undefined {
    return extensions.get('health-check') as Health | undefined
  }
}
