import type { Backend, Verdict } from '@fastify-balancer/balancer-core'
import { eachAtMost } from './each-at-most.ts'
import { Probing, type ProbeReport } from '../probe/probing.ts'
import { firstRule, type HealthChange } from './health-record.ts'
import type { Timetable } from './schedule.ts'

/** The owner of the vetoes that probes lay. */
export const judgedBy = 'health-check'

/** What is thought of one that has not answered yet. */
export const notProbed: HealthChange = { from: 'unknown', good: false, rule: 'not probed yet', evidence: [] }

/** Probes new backends once, before they enter the set, and keeps the reports. */
export class Admission {
  readonly #mostAtOnce: number
  // Weak, since they may never enter: the change may be refused for other reasons.
  readonly #reports = new WeakMap<Backend, ProbeReport>()
  readonly #underWay = new Set<Probing>()
  #stopped = false

  constructor(mostAtOnce: number) {
    this.#mostAtOnce = mostAtOnce
  }

  /** Asks each once, and answers what follows from `admit` for the bad ones. */
  async judge(
    candidates: readonly Backend[],
    table: Timetable,
    admit: 'healthy' | 'all-or-nothing',
  ): Promise<Verdict[]> {
    await this.#ask(candidates, table)
    return candidates.flatMap((backend): Verdict[] => {
      const report = this.reportOf(backend)
      if (report === undefined || report.good) return []
      if (admit === 'all-or-nothing') return [{ backend, refusal: `${report.sent}: ${report.received}` }]
      const reason = report.inconclusive === undefined ? firstRule(report) : notProbed.rule
      return [{ backend, veto: { by: judgedBy, reason, evidence: [report] } }]
    })
  }

  /** The report of its probe; undefined if it was not probed. */
  reportOf(backend: Backend): ProbeReport | undefined {
    return this.#reports.get(backend)
  }

  stop(): void {
    this.#stopped = true
    for (const probing of this.#underWay) probing.bad('cancelled: the health check has stopped')
  }

  /** Resolves when each probe has ended. */
  #ask(candidates: readonly Backend[], table: Timetable): Promise<void> {
    return eachAtMost(this.#mostAtOnce, candidates, (backend, done) => this.#askOne(backend, table, done))
  }

  #askOne(backend: Backend, table: Timetable, done: () => void): void {
    if (this.#stopped) return done()
    const probing: Probing = new Probing(table, (report) => {
      this.#underWay.delete(probing)
      if (!this.#stopped) this.#reports.set(backend, report)
      done()
    })
    this.#underWay.add(probing)
    probing.start(table.probe, backend)
  }
}
