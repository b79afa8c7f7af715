import type { Veto } from '@fastify-balancer/balancer-core'
import type { ActiveOptions } from './active-options.ts'
import type { ProbeReport } from '../probe/probing.ts'
import { RiseFall, type Health, type Pace } from './rise-fall.ts'

/** What probes have said of one backend. */
export interface ActiveView {
  readonly state: Health
  /** Since when, in ms since the epoch. */
  readonly since: number
  readonly lastProbe: ProbeReport | undefined
  /** How many of the last probes had the same answer. */
  readonly consecutive: number
}

/** A change of state, with what has decided it. */
export interface HealthChange {
  readonly from: Health
  readonly good: boolean
  /** In words. */
  readonly rule: string
  /** The probes that decided, the last one last. */
  readonly evidence: readonly ProbeReport[]
}

/** Different answers that are told, at most. */
const toldAnswers = 3

function ruleOf(good: boolean, wasUnknown: boolean, evidence: readonly ProbeReport[]): string {
  const answers = [...new Set(evidence.map(({ received }) => received))].slice(-toldAnswers).join('; ')
  const { length: count } = evidence
  const which = wasUnknown ? 'the first probe' : count === 1 ? '1 probe' : `${count} probes in a row`
  const how = good ? (count === 1 ? 'was good' : 'were good') : 'failed'
  return `${which} ${how}: ${answers}`
}

/** What would be said of a backend that has been probed once. */
export function firstRule(report: ProbeReport): string {
  return ruleOf(report.good, true, [report])
}

/** What is remembered of one backend: its state, and the probes that could change it. */
export class HealthRecord implements ActiveView {
  since = Date.now()
  lastProbe: ProbeReport | undefined
  /** The veto that stands for `down`, or for not having been asked yet. */
  veto: Veto | undefined
  readonly #riseFall: RiseFall
  #most: number
  /** The last probes, all with the same answer. */
  #alike: ProbeReport[] = []

  constructor({ rise, fall }: Pick<ActiveOptions, 'rise' | 'fall'>, initial: Health) {
    this.#riseFall = new RiseFall({ rise, fall }, initial)
    this.#most = Math.max(rise, fall)
  }

  /** So many probes in a row are needed from now on. */
  configure({ rise, fall }: Pick<ActiveOptions, 'rise' | 'fall'>): void {
    this.#riseFall.configure({ rise, fall })
    this.#most = Math.max(rise, fall)
  }

  get state(): Health {
    return this.#riseFall.state
  }

  get consecutive(): number {
    return this.#riseFall.consecutive
  }

  get pace(): Pace {
    return this.#riseFall.pace
  }

  /** Counts a probe; answers the change, if it has made one. */
  observe(report: ProbeReport): HealthChange | undefined {
    const { state: from } = this
    if (this.lastProbe?.good !== report.good) this.#alike = []
    this.#alike.push(report)
    if (this.#alike.length > this.#most) this.#alike.shift()
    this.lastProbe = report
    const deciding = this.#riseFall.needed(report.good)
    if (!this.#riseFall.observe(report.good)) return undefined
    this.since = Date.now()
    const evidence = this.#alike.slice(-deciding)
    return { from, good: report.good, rule: ruleOf(report.good, from === 'unknown', evidence), evidence }
  }
}
