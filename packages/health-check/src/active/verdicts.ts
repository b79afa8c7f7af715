import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import type { Judge } from '../judgement/judgement.ts'
import type { ProbeReport } from '../probe/probing.ts'
import { judgedBy as by, notProbed } from './admission.ts'
import { firstRule, type HealthChange, type HealthRecord } from './health-record.ts'

/** What follows from the records of backends: a veto on those that are unhealthy, and the judgements. */
export class Verdicts {
  readonly #balancer: Balancer
  readonly #judge: Judge

  constructor(balancer: Balancer, judge: Judge) {
    this.#balancer = balancer
    this.#judge = judge
  }

  /** Counts a probe, of another instance where it `isTold`. Has the backend become healthy by it? */
  observe(backend: Backend, record: HealthRecord, report: ProbeReport, isTold = false): boolean {
    const change = record.observe(report) ?? this.#firstReason(record, report) ?? this.#anew(backend, record, report)
    if (change?.good === false) this.lay(backend, record, change, isTold)
    else if (change !== undefined) this.lift(backend, record, change, isTold)
    return report.good && change?.from === 'down'
  }

  lay(backend: Backend, record: HealthRecord, change: HealthChange, isTold = false): void {
    const { rule: reason, evidence } = change
    const earlier = record.veto
    const stands = earlier !== undefined && backend.vetoes.includes(earlier)
    // A veto with the same reason was placed by the core on a new backend, by our verdict.
    if (!stands || earlier.reason !== reason) {
      record.veto = this.#balancer.veto(backend, { by, reason, evidence })
      // Afterwards, so that there is no moment without a veto.
      earlier?.lift()
    }
    this.#tell(backend, change, isTold)
  }

  lift(backend: Backend, record: HealthRecord, change: HealthChange, isTold = false): void {
    // A first successful probe changes nothing.
    if (record.veto === undefined) return
    record.veto.lift()
    record.veto = undefined
    this.#tell(backend, change, isTold)
  }

  /** A backend that was assumed down and is down: now the reason is known. */
  #firstReason({ state, veto }: HealthRecord, report: ProbeReport): HealthChange | undefined {
    if (report.good || veto?.reason !== notProbed.rule) return undefined
    return { from: state, good: false, rule: firstRule(report), evidence: [report] }
  }

  /** A backend that is down, and whose veto was lifted by other code. */
  #anew({ vetoes }: Backend, { state, veto }: HealthRecord, report: ProbeReport): HealthChange | undefined {
    if (report.good || veto === undefined || vetoes.includes(veto)) return undefined
    const rule = `its veto was lifted by other code, but a probe failed: ${report.received}`
    return { from: state, good: false, rule, evidence: [report] }
  }

  #tell(backend: Backend, { good, rule, evidence }: HealthChange, isTold: boolean): void {
    this.#judge(backend, { at: Date.now(), by, good, rule, evidence }, isTold)
  }
}
