import type { Backend, BackendSet, Balancer } from '@fastify-balancer/balancer-core'
import type { Judge } from '../judgement/judgement.ts'
import { ceilingReached, mostOut } from './ceiling.ts'
import type { Observation, Obstacle } from './observed/observation.ts'
import type { Observations } from './observed/observations.ts'
import type { Offence } from './observed/offence.ts'
import { outlierView, type OutlierView } from './outlier-view.ts'
import type { OutlierOptions } from './rules/outlier-options.ts'
import { TimedVetoes } from './timed-vetoes.ts'

/** Called when it begins that an unhealthy backend is not ejected, with the reason in words. */
export type SparedListener = (backend: Backend, reason: string) => void

/**
 * The vetoes of passive checks: ejections, which get longer each time, and pauses that backends ask for. One ceiling
 * applies to both together: never more than `maxEjected` of all, and never the last healthy one.
 */
export class OutlierVetoes {
  readonly #balancer: Balancer
  #options: OutlierOptions
  readonly #epoch: () => number
  readonly #observations: Observations
  readonly #ejected: TimedVetoes
  readonly #paused: TimedVetoes
  readonly #onSpared: SparedListener
  #stopped = false

  /** `epoch` returns ms since 1970. */
  constructor(
    balancer: Balancer,
    options: OutlierOptions,
    observations: Observations,
    judge: Judge,
    epoch: () => number,
    onSpared: SparedListener,
  ) {
    this.#balancer = balancer
    this.#options = options
    this.#epoch = epoch
    this.#onSpared = onSpared
    this.#observations = observations
    this.#ejected = new TimedVetoes(balancer, 'outlier-detection', judge, epoch, (backend) =>
      observations.of(backend).begin(balancer.clock.now(), undefined),
    )
    this.#paused = new TimedVetoes(balancer, 'pressure', judge, epoch)
  }

  /** The vetoes of paused backends. */
  get pauses(): TimedVetoes {
    return this.#paused
  }

  start(): void {
    this.#stopped = false
  }

  /** Goes by these from now on: where fewer may be out than are, those come back that were due first. */
  configure(options: OutlierOptions): void {
    this.#options = options
    this.#keepCeiling(this.#balancer.set)
  }

  /** Lifts every veto, and places no more. */
  stop(): void {
    this.#stopped = true
    for (const backend of this.#ejected.backends) {
      this.#ejected.drop(backend)
      this.#observations.of(backend).begin(this.#balancer.clock.now(), undefined)
    }
    for (const backend of this.#paused.backends) this.#paused.drop(backend)
  }

  /** Ejects an outlier, if the ceiling allows it. */
  accuse(observation: Observation, offence: Offence): void {
    const { backend, ejectTime } = observation
    observation.good = false
    if (this.#stopped || observation.offence !== undefined || !this.#balancer.has(backend)) return
    const reached = this.#reached(backend)
    if (reached !== undefined) {
      observation.withheld = { at: this.#epoch(), rule: offence.rule }
      this.spare(observation, reached.obstacle, `${offence.rule}, but ${reached.text}`)
      return
    }
    const duration = ejectTime.next(this.#options, this.#balancer.random)
    observation.begin(this.#balancer.clock.now(), offence)
    const evidence = { rule: offence.kind, ...offence.evidence, timesEjected: ejectTime.times }
    this.#ejected.lay(backend, offence.rule, evidence, duration)
  }

  /** Notes why an unhealthy backend is not ejected; reported when that begins. */
  spare(observation: Observation, obstacle: Obstacle, reason: string): void {
    if (observation.spare(obstacle, reason, this.#epoch())) this.#onSpared(observation.backend, reason)
  }

  /** May a backend that asks for a pause get one? */
  mayPause(backend: Backend): boolean {
    return !this.#stopped && this.#balancer.has(backend) && this.#ceiling(backend) === undefined
  }

  /** Ends an ejection; false if there is none. */
  acquit(backend: Backend, rule: string): boolean {
    return this.#ejected.lift(backend, rule)
  }

  /** Ends an ejection and a pause; false if there is neither. */
  lift(backend: Backend, rule: string): boolean {
    const ejected = this.acquit(backend, rule)
    const paused = this.#paused.lift(backend, rule)
    return ejected || paused
  }

  /** Cleans up vetoes that other code has lifted. */
  reconcile(): void {
    this.#ejected.reconcile()
    this.#paused.reconcile()
  }

  /** Forgets who has left; when fewer may be out than are, those come back that were due first. */
  backendsChanged(now: BackendSet): void {
    for (const vetoes of [this.#ejected, this.#paused])
      for (const backend of vetoes.backends) if (!this.#balancer.has(backend)) vetoes.drop(backend)
    this.#observations.changed((backend) => this.#balancer.has(backend))
    this.#keepCeiling(now)
  }

  /** A view of one backend. */
  viewOf(backend: Backend): OutlierView {
    const observation = this.#observations.peek(backend)
    return outlierView(observation, this.#balancer.clock.now(), this.#ejected, this.#paused)
  }

  #keepCeiling(now: BackendSet): void {
    const most = mostOut(now.all.length, this.#options.maxEjected)
    for (const backend of new Set([...this.#ejected.backends, ...this.#paused.backends])) {
      const isNeeded = isOurs(backend) && !now.all.some(({ vetoes }) => vetoes.length === 0)
      if (this.#out > most || isNeeded) this.lift(backend, 'fewer backends may be ejected now (maxEjected)')
    }
  }

  /** How many are out. */
  get #out(): number {
    const ejected = this.#ejected.size
    // Seldom anybody is both.
    return this.#paused.size === 0 ? ejected : ejected + this.#paused.countWithout(this.#ejected)
  }

  #isOut(backend: Backend): boolean {
    return this.#ejected.has(backend) || this.#paused.has(backend)
  }

  /** What stands against ejecting a backend; undefined if nothing does. */
  #reached(backend: Backend): { readonly obstacle: Obstacle; readonly text: string } | undefined {
    // In panic its veto by somebody else is ignored: another one would not help.
    if (this.#balancer.set.panicking && backend.vetoes.length > 0)
      return { obstacle: 'panic', text: 'panic mode ignores health' }
    return this.#ceiling(backend)
  }

  #ceiling(backend: Backend): ReturnType<typeof ceilingReached> {
    const { all } = this.#balancer.set
    const out = this.#out - Number(this.#isOut(backend))
    const hasOther = all.some((one) => one !== backend && one.vetoes.length === 0)
    return ceilingReached({ total: all.length, out, hasOther }, this.#options.maxEjected)
  }
}

/** All its vetoes are those of passive checks. */
function isOurs({ vetoes }: Backend): boolean {
  return vetoes.every(({ by }) => by === 'outlier-detection' || by === 'pressure')
}
