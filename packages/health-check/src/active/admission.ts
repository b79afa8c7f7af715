import type { Backend, Verdict } from '@fastify-balancer/balancer-core'
import type { SharedProbes } from '../sharing/shared-probes.ts'
import { Probing, type ProbeReport } from '../probe/probing.ts'
import type { ActiveOptions } from './active-options.ts'
import { eachAtMost } from './each-at-most.ts'
import { firstRule, type HealthChange } from './health-record.ts'
import type { Timetable } from './schedule.ts'

/** The owner of the vetoes that probes lay. */
export const judgedBy = 'health-check'

/** What is thought of one that has not answered yet. */
export const notProbed: HealthChange = { from: 'unknown', good: false, rule: 'not probed yet', evidence: [] }

/** How backends are probed. */
export interface AdmissionTerms {
  readonly options: ActiveOptions
  readonly table: Timetable
  /** See `termsOf`. */
  readonly name: string
}

/** Probes new backends once, before they enter the set, and keeps the reports. */
export class Admission {
  readonly #mostAtOnce: number
  // Weak, since they may never enter: the change may be refused for other reasons.
  readonly #reports = new WeakMap<Backend, ProbeReport>()
  readonly #told = new WeakSet<Backend>()
  readonly #underWay = new Set<Probing>()
  readonly #sharing: SharedProbes | undefined
  #stopped = false

  constructor(mostAtOnce: number, sharing: SharedProbes | undefined) {
    this.#mostAtOnce = mostAtOnce
    this.#sharing = sharing
  }

  /**
   * Asks each once, unless the instances have agreed on it: then the one that has made the change has. Answers what follows from
   * `admit` for the bad ones.
   */
  async judge(candidates: readonly Backend[], terms: AdmissionTerms, isAgreed: boolean): Promise<Verdict[]> {
    if (isAgreed && this.#sharing !== undefined) await this.#takeFrom(this.#sharing, candidates, terms)
    await this.#ask(isAgreed ? candidates.filter((backend) => !this.#reports.has(backend)) : candidates, terms)
    const { admit } = terms.options
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

  /** Has another instance made that probe? */
  wasTold(backend: Backend): boolean {
    return this.#told.has(backend)
  }

  stop(): void {
    this.#stopped = true
    for (const probing of this.#underWay) probing.bad('cancelled: the health check has stopped')
  }

  async #takeFrom(sharing: SharedProbes, candidates: readonly Backend[], { name }: AdmissionTerms): Promise<void> {
    const reports = new Map((await sharing.findNewcomers(name, candidates)).map(({ id, report }) => [id, report]))
    for (const backend of candidates) {
      const report = reports.get(backend.id)
      if (report === undefined) continue
      this.#reports.set(backend, report)
      this.#told.add(backend)
    }
  }

  /** Resolves when each probe has ended. */
  #ask(candidates: readonly Backend[], terms: AdmissionTerms): Promise<void> {
    return eachAtMost(this.#mostAtOnce, candidates, (backend, done) => this.#askOne(backend, terms, done))
  }

  #askOne(backend: Backend, { table, name }: AdmissionTerms, done: () => void): void {
    if (this.#stopped) return done()
    const probing: Probing = new Probing(table, (report) => {
      this.#underWay.delete(probing)
      if (!this.#stopped) this.#observe(backend, report, name)
      done()
    })
    this.#underWay.add(probing)
    probing.start(table.probe, backend)
  }

  #observe(backend: Backend, report: ProbeReport, terms: string): void {
    this.#reports.set(backend, report)
    const { id, url } = backend
    this.#sharing?.publishNewcomer(terms, { id, url, report, age: report.timings.took })
  }
}
