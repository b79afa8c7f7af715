import type { Clock } from '@fastify-balancer/balancer-core'
import type { FastifyInstance } from 'fastify'
import type { Instances } from '../instances/instances.ts'
import type { FigureSummands } from './merged-figures.ts'
import { Measurements } from './measurements.ts'

/** When nobody has asked for this long, measuring ends (ms). */
const patience = 5000

/** The figures of other instances, and those of this one for others: measured only while one of them asks each second. */
export class FiguresOfOthers {
  readonly #instances: Instances
  readonly #clock: Clock
  readonly #asking = new Map<string, { readonly measurements: Measurements; timer: unknown }>()

  constructor(app: FastifyInstance, instances: Instances, clock: Clock, wallClock: () => number) {
    this.#instances = instances
    this.#clock = clock
    instances.answer('figures', (_question: null, from) => {
      const { measurements } = this.#askedBy(from, app)
      measurements.look()
      return measurements.all.map((one) => one.takeSummands(wallClock()))
    })
  }

  /** What the others have measured since this was called last. */
  async take(): Promise<readonly FigureSummands[]> {
    const { answers } = await this.#instances.ask<readonly FigureSummands[]>('figures', null)
    return [...answers.values()].flat()
  }

  stop(): void {
    for (const id of this.#asking.keys()) this.#end(id)
  }

  #askedBy(id: string, app: FastifyInstance) {
    let asking = this.#asking.get(id)
    if (asking === undefined) {
      this.#asking.set(id, (asking = { measurements: new Measurements(app), timer: undefined }))
      asking.measurements.start()
    }
    this.#clock.clearTimeout(asking.timer)
    asking.timer = this.#clock.setTimeout(() => this.#end(id), patience)
    return asking
  }

  #end(id: string): void {
    const asking = this.#asking.get(id)
    this.#clock.clearTimeout(asking?.timer)
    asking?.measurements.stop()
    this.#asking.delete(id)
  }
}
