import type { Backend } from '@fastify-balancer/balancer-core'
import { eachAtMost } from './each-at-most.ts'
import { Probing, type ProbeReport } from '../probe/probing.ts'
import type { Timetable } from './schedule.ts'

/** Probes new backends once, before they enter the set, and keeps the reports. */
export class Admission {
  readonly #table: Timetable
  readonly #mostAtOnce: number
  // Weak, since they may never enter: the change may be refused for other reasons.
  readonly #reports = new WeakMap<Backend, ProbeReport>()
  readonly #underWay = new Set<Probing>()
  #stopped = false

  constructor(table: Timetable, mostAtOnce: number) {
    this.#table = table
    this.#mostAtOnce = mostAtOnce
  }

  /** Resolves when each probe has ended. */
  ask(candidates: readonly Backend[]): Promise<void> {
    return eachAtMost(this.#mostAtOnce, candidates, (backend, done) => this.#askOne(backend, done))
  }

  /** The report of its probe; undefined if it was not probed. */
  reportOf(backend: Backend): ProbeReport | undefined {
    return this.#reports.get(backend)
  }

  stop(): void {
    this.#stopped = true
    for (const probing of this.#underWay) probing.bad('cancelled: the health check has stopped')
  }

  #askOne(backend: Backend, done: () => void): void {
    if (this.#stopped) return done()
    const probing: Probing = new Probing(this.#table, (report) => {
      this.#underWay.delete(probing)
      if (!this.#stopped) this.#reports.set(backend, report)
      done()
    })
    this.#underWay.add(probing)
    probing.start(this.#table.probe, backend)
  }
}
