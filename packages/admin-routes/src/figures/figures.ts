// Room `figures`: the traffic of the last second.
import type { Clock } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import type { Extensions } from '../extensions.ts'
import type { Instances } from '../instances/instances.ts'
import type { FiguresEvent } from './figures-event.ts'
import { FiguresOfOthers } from './figures-of-others.ts'
import { Measurements } from './measurements.ts'
import { mergedFigures } from './merged-figures.ts'

/** How often figures are sent (ms). */
const period = 1000

/**
 * Measures the traffic of a server's balancers, only while a client wants figures; otherwise it costs a request nothing.
 */
export class Figures {
  readonly #extensions: Extensions
  readonly #clock: Clock
  readonly #wallClock: () => number
  readonly #tell: (figures: FiguresEvent) => boolean
  readonly #measurements: Measurements
  readonly #others: FiguresOfOthers | undefined
  #timer: unknown

  /** `tell` returns false when no client wants figures any more. */
  constructor(
    app: FastifyInstance,
    { extensions, instances }: { readonly extensions: Extensions; readonly instances: Instances },
    clock: Clock,
    wallClock: () => number,
    tell: (figures: FiguresEvent) => boolean,
  ) {
    this.#extensions = extensions
    this.#clock = clock
    this.#wallClock = wallClock
    this.#tell = tell
    this.#measurements = new Measurements(app)
    if (instances.fleet !== undefined) this.#others = new FiguresOfOthers(app, instances, clock, wallClock)
  }

  /** Starts measuring, if not started yet. The first figures come after one period. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#measurements.start()
    // They start, too.
    void this.#others?.take()
    this.#wait()
  }

  /** Ends for good: other instances get no figures any more, either. */
  close(): void {
    this.#stop()
    this.#others?.stop()
  }

  #stop(): void {
    if (this.#timer === undefined) return
    this.#measurements.stop()
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #wait(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#wait()
      this.#measurements.look()
      if (this.#others === undefined) this.#takeOwn()
      else void this.#takeAll(this.#others)
    }, period)
  }

  #takeOwn(): void {
    const process = this.#extensions.process()
    const at = this.#wallClock()
    for (const measurement of this.#measurements.all) {
      if (this.#tell({ ...measurement.take(at), ...(process !== undefined && { process }) })) continue
      this.#stop()
      return
    }
  }

  /** One that does not answer in time has its figures in those of the next second. */
  async #takeAll(others: FiguresOfOthers): Promise<void> {
    const at = this.#wallClock()
    const own = this.#measurements.all.map((one) => one.takeSummands(at))
    const process = this.#extensions.process()
    const theirs = await others.take()
    for (const one of own) {
      const all = [one, ...theirs.filter(({ balancer }) => balancer === one.balancer)]
      if (this.#tell({ ...mergedFigures(all), ...(process !== undefined && { process }) })) continue
      this.#stop()
      return
    }
  }
}
