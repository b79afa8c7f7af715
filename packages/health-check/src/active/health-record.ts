import type { Veto } from '@fastify-balancer/balancer-core'
import type { ActiveOptions } from './active-options.ts'
import type { ProbeReport } from '../probe/probing.ts'
import { RiseFall, type Health, type Pace } from './rise-fall.ts'

/** Probe state of one backend. */
export interface ActiveView {
  readonly state: Health
  /** Since when, in ms since the epoch. */
  readonly since: number
  readonly lastProbe: ProbeReport | undefined
  /** How many latest probes in a row had the same result. */
  readonly consecutive: number
}

/** A change of state, with its reason. */
export interface HealthChange {
  readonly from: Health
  readonly good: boolean
  /** In words. */
  readonly rule: string
  /** The deciding probes, oldest first. */
  readonly evidence: readonly ProbeReport[]
}

/** Most different answers that a reason lists. */
const toldAnswers = 3

function ruleOf(good: boolean, wasUnknown: boolean, evidence: readonly ProbeReport[]): string {
  const answers = [...new Set(evidence.map(({ received }) => received))].slice(-toldAnswers).join('; ')
  const { length: count } = evidence
  const which = wasUnknown ? 'first probe' : count === 1 ? '1 probe' : `${count} probes in a row`
  return `${which} ${good ? 'succeeded' : 'failed'}: ${answers}`
}

/** The reason after a single first probe. */
export function firstRule(report: ProbeReport): string {
  return ruleOf(report.good, true, [report])
}

/** The record of one backend: its state, and the latest probes. */
export class HealthRecord implements ActiveView {
  since = Date.now()
  lastProbe: ProbeReport | undefined
  /** Its veto while it is down or not probed yet. */
  veto: Veto | undefined
  readonly #riseFall: RiseFall
  #most: number
  /** The latest probes, all with the same result. */
  #alike: ProbeReport[] = []

  constructor({ rise, fall }: Pick<ActiveOptions, 'rise' | 'fall'>, initial: Health) {
    this.#riseFall = new RiseFall({ rise, fall }, initial)
    this.#most = Math.max(rise, fall)
  }

  /** Sets how many probes in a row are needed from now on. */
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

  /** Counts a probe; returns the change of state, if any. */
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
