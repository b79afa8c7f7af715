import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import { TrafficWatch } from '../history/traffic-watch.ts'
import { Measurement } from './measurement.ts'

/** Measures the traffic of all balancers of a server from `start` to `stop`; otherwise it costs a request nothing. */
export class Measurements {
  readonly #app: FastifyInstance
  readonly #watch: TrafficWatch
  readonly #measured = new Map<string, { readonly balancer: Balancer; readonly measurement: Measurement }>()

  constructor(app: FastifyInstance) {
    this.#app = app
    this.#watch = new TrafficWatch(app, (balancer) => this.#measured.get(balancer)?.measurement)
  }

  get all(): readonly Measurement[] {
    return [...this.#measured.values()].map(({ measurement }) => measurement)
  }

  start(): void {
    this.#watch.start()
    this.look()
  }

  stop(): void {
    this.#watch.stop()
    this.#measured.clear()
  }

  /** Also picks up balancers that were registered later. */
  look(): void {
    for (const [name, balancer] of this.#app.balancers)
      if (!this.#measured.has(name)) this.#measured.set(name, { balancer, measurement: new Measurement(balancer) })
  }
}
