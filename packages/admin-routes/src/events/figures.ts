import type { Balancer, Clock } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import type { Extensions } from '../extensions.ts'
import { TrafficWatch } from '../history/traffic-watch.ts'
import type { FiguresEvent } from './figures-event.ts'
import { Measurement } from './measurement.ts'

/** How often figures are sent (ms). */
const period = 1000

/**
 * Measures the traffic of a server's balancers, only while a client wants figures; otherwise it costs a request nothing.
 */
export class Figures {
  readonly #app: FastifyInstance
  readonly #extensions: Extensions
  readonly #clock: Clock
  readonly #wallClock: () => number
  readonly #tell: (figures: FiguresEvent) => boolean
  readonly #watch: TrafficWatch
  readonly #measured = new Map<string, { readonly balancer: Balancer; readonly measurement: Measurement }>()
  #timer: unknown

  /** `tell` returns false when no client wants figures any more. */
  constructor(
    app: FastifyInstance,
    extensions: Extensions,
    clock: Clock,
    wallClock: () => number,
    tell: (figures: FiguresEvent) => boolean,
  ) {
    this.#app = app
    this.#extensions = extensions
    this.#clock = clock
    this.#wallClock = wallClock
    this.#tell = tell
    this.#watch = new TrafficWatch(app, (balancer) => this.#measured.get(balancer)?.measurement)
  }

  /** Starts measuring, if not started yet. The first figures come after one period. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#watch.start()
    this.#look()
    this.#wait()
  }

  stop(): void {
    if (this.#timer === undefined) return
    this.#watch.stop()
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#measured.clear()
  }

  #wait(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#wait()
      this.#look()
      const process = this.#extensions.process()
      const at = this.#wallClock()
      for (const { measurement } of this.#measured.values()) {
        if (this.#tell({ ...measurement.take(at), ...(process !== undefined && { process }) })) continue
        this.stop()
        return
      }
    }, period)
  }

  /** Also picks up balancers that were registered later. */
  #look(): void {
    for (const [name, balancer] of this.#app.balancers)
      if (!this.#measured.has(name)) this.#measured.set(name, { balancer, measurement: new Measurement(balancer) })
  }
}
