import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import { Traffic } from '../traffic/traffic.ts'

/** The part of a circuit breaker that is read. By shape, since that package is optional. */
export interface Circuits {
  /** @throws Error for a backend that has none */
  of(id: string): { readonly state: string }
}

/** The part of a health check that is read, likewise. Durations in ms. */
export interface Health {
  of(id: string): {
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

/** The sources of all values: the balancers of a server, their traffic, and other plugins' data about them. */
export class Sources {
  readonly #app: FastifyInstance
  readonly #bounds: readonly number[]
  readonly #traffic = new Map<Balancer, Traffic>()

  /** `bounds` of all histograms, in seconds. */
  constructor(app: FastifyInstance, bounds: readonly number[]) {
    this.#app = app
    this.#bounds = bounds
  }

  /** Every balancer of the server, including later ones. */
  get balancers(): Iterable<Balancer> {
    return this.#app.balancers.values()
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
