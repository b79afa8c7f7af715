import type { Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import { Recorder } from './recorder.ts'
import { TrafficWatch } from './traffic-watch.ts'

/** Records the traffic of all balancers of one server, until `stop`. */
export class History {
  readonly #app: FastifyInstance
  readonly #wallClock: () => number
  readonly #watch: TrafficWatch
  readonly #recorders = new Map<string, Recorder>()

  /** `wallClock` is the time in ms since the epoch. */
  constructor(app: FastifyInstance, wallClock: () => number = Date.now) {
    this.#app = app
    this.#wallClock = wallClock
    this.#watch = new TrafficWatch(app, (name) => this.#find(name))
    this.#watch.start()
    this.look()
  }

  /** Begins with balancers that were registered since; by itself it finds them with their first request. */
  look(): void {
    for (const balancer of this.#app.balancers.values()) this.of(balancer)
  }

  /** Ends for good. */
  stop(): void {
    this.#watch.stop()
    for (const recorder of this.#recorders.values()) recorder.stop()
  }

  /** The recorder of a balancer of this server. */
  of(balancer: Balancer): Recorder {
    let recorder = this.#recorders.get(balancer.name)
    if (recorder === undefined)
      this.#recorders.set(balancer.name, (recorder = new Recorder(balancer, this.#wallClock, () => this.#shed)))
    return recorder
  }

  /** What the option `underPressure` has shed so far. */
  get #shed(): number {
    const { balancerShedding } = this.#app as { readonly balancerShedding?: { readonly total: number } }
    return balancerShedding?.total ?? 0
  }

  #find(name: string): Recorder | undefined {
    const known = this.#recorders.get(name)
    if (known !== undefined) return known
    const balancer = this.#app.balancers.get(name)
    return balancer === undefined ? undefined : this.of(balancer)
  }
}

const byServer = new WeakMap<FastifyInstance['server'], History>()

/** The history of an app's balancers; shared if admin routes are registered several times. */
export function historyOf(app: FastifyInstance): History {
  const known = byServer.get(app.server)
  if (known !== undefined) return known
  const history = new History(app)
  byServer.set(app.server, history)
  // Balancers may be registered until the app is ready.
  app.addHook('onReady', async () => history.look())
  app.addHook('onClose', async () => history.stop())
  return history
}
