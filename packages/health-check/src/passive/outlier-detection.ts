import type { Attempt, Backend, BackendSet, Balancer } from '@fastify-balancer/balancer-core'
import type { Judge } from '../judgement/judgement.ts'
import { fitsCeiling, mostOut } from './ceiling.ts'
import { latencyAccusations } from './rules/latency-judgement.ts'
import type { Offence } from './observed/offence.ts'
import { consecutiveOffence } from './rules/offences.ts'
import { Observation } from './observed/observation.ts'
import type { OutlierOptions } from './rules/outlier-options.ts'
import { outlierView, type OutlierView } from './outlier-view.ts'
import type { PressureOptions } from './pressure-options.ts'
import { Pressure } from './pressure.ts'
import { rateAccusations, type Accusation } from './rules/rate-judgement.ts'
import { TimedVetoes } from './timed-vetoes.ts'

/** How often at least it is looked who is silent or slow (ms): two looks bound the harm of a backend that hangs. */
const longestPeriod = 500

/**
 * Judges backends by how attempts fare: failures in a row at once, silence and slowness at each look, shares of success
 * at each interval. An outlier is left alone for a time that grows with each offence; never more than `maxEjected` of
 * all, and never the last available one.
 */
export class OutlierDetection {
  readonly #balancer: Balancer
  readonly #options: OutlierOptions
  readonly #epoch: () => number
  readonly #observations = new WeakMap<Backend, Observation>()
  readonly #vetoes: TimedVetoes
  readonly #pauses: TimedVetoes
  readonly #pressure: Pressure
  readonly #looksPerInterval: number
  #looks = 0
  #timer: unknown
  #stopped = false

  /** `epoch` answers ms since 1970, for what people read and for dates in `retry-after`. */
  constructor(
    balancer: Balancer,
    options: OutlierOptions,
    pressureOptions: PressureOptions,
    judge: Judge,
    epoch: () => number = Date.now,
  ) {
    this.#balancer = balancer
    this.#options = options
    this.#epoch = epoch
    this.#vetoes = new TimedVetoes(balancer, 'outlier-detection', judge, epoch, (backend) =>
      this.#observe(backend).begin(balancer.clock.now(), undefined),
    )
    this.#pauses = new TimedVetoes(balancer, 'pressure', judge, epoch)
    this.#pressure = new Pressure(pressureOptions, this.#pauses, epoch, (backend) => this.#mayPause(backend))
    this.#looksPerInterval = Math.ceil(options.interval / longestPeriod)
  }

  /** Begins to look. */
  start(): void {
    this.#stopped = false
    if (this.#timer === undefined) this.#arm()
  }

  /** Takes back every veto and every timer; judges no more. */
  stop(): void {
    this.#stopped = true
    this.#balancer.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    for (const backend of this.#vetoes.backends) {
      this.#vetoes.drop(backend)
      this.#observe(backend).begin(this.#balancer.clock.now(), undefined)
    }
    for (const backend of this.#pauses.backends) this.#pauses.drop(backend)
  }

  /** For `onAttemptStart`. */
  attemptStarted(attempt: Attempt): void {
    this.#observe(attempt.backend).waiting.enter(attempt)
  }

  /** For `onAttemptResponse`. */
  attemptResponded(attempt: Attempt): void {
    const observation = this.#observe(attempt.backend)
    observation.waiting.leave(attempt)
    observation.answeredAt = attempt.respondedAt
    this.#pressure.heed(attempt)
    if (this.#pressure.isPressure(attempt) || observation.ignores(attempt)) return
    // Before it had the whole request, it may be the client that it waited for.
    if (attempt.uploaded) observation.counts.measure(attempt.responseTime)
  }

  /** For `onAttemptEnd`. */
  attemptEnded(attempt: Attempt): void {
    const { outcome, status } = attempt
    const observation = this.#observe(attempt.backend)
    if (outcome !== 'ok') observation.waiting.leave(attempt)
    if (observation.ignores(attempt) || this.#pressure.isPressure(attempt)) return
    if (attempt.blame === 'backend') this.#fail(observation, attempt, outcome!)
    // Known since its headers: that a client leaves before the end of the body takes nothing back.
    else if (status >= 500) this.#fail(observation, attempt, status)
    else if (outcome === 'ok') {
      observation.counts.count(false)
      observation.consecutive.reset()
    }
  }

  /** For `onBackendsChange`: forgets who has left; when fewer may be out than are, those come back that were due first. */
  backendsChanged(now: BackendSet, before: BackendSet): void {
    const members = new Set(now.all)
    for (const backend of before.all) {
      if (members.has(backend)) continue
      this.#vetoes.drop(backend)
      this.#pauses.drop(backend)
      this.#observations.delete(backend)
    }
    const most = mostOut(now.all.length, this.#options.maxEjected)
    for (const backend of new Set([...this.#vetoes.backends, ...this.#pauses.backends])) {
      const out = now.all.filter((one) => this.#isOut(one)).length
      const isNeeded = !now.all.some(({ vetoes }) => vetoes.length === 0) && isOurs(backend)
      if (out > most || isNeeded) this.#lift(backend, 'there are fewer backends: fewer may be left alone')
    }
  }

  /** A good active probe; `changed` says that it turned the verdict from down to up. */
  goodProbe(backend: Backend, changed: boolean): void {
    if (!this.#options.probeLifts) return
    if (changed) this.#lift(backend, 'a probe says that it is back')
    else if (this.#observations.get(backend)?.offence?.kind === 'unreached') {
      this.#vetoes.lift(backend, 'a probe has reached it')
    }
  }

  /** Takes back what passive checks hold against it, by hand; false if there is nothing. How often it was ejected stays. */
  lift(backend: Backend): boolean {
    return this.#lift(backend, 'lifted by hand')
  }

  /** What is known of it. */
  of(backend: Backend): OutlierView {
    const now = this.#balancer.clock.now()
    const observation = this.#observations.get(backend) ?? new Observation(backend, now)
    return outlierView(observation, now, this.#vetoes, this.#pauses)
  }

  #observe(backend: Backend): Observation {
    let observation = this.#observations.get(backend)
    if (observation === undefined) {
      observation = new Observation(backend, this.#balancer.clock.now())
      this.#observations.set(backend, observation)
    }
    return observation
  }

  /** `what` has failed: the status of the response, or the reason. */
  #fail(observation: Observation, attempt: Attempt, what: number | string): void {
    const { consecutive, counts, recent } = observation
    counts.count(true)
    consecutive.fail(attempt.status, attempt.started)
    recent.add(this.#epoch(), what)
    if (what === 'headers-timeout') counts.measure(attempt.endedAt - (attempt.askedAt ?? attempt.startedAt))
    // What the ceiling has withheld is not asked again for each failure, but when the interval ends.
    if (observation.withheld === undefined) this.#judgeConsecutive(observation)
  }

  #judgeConsecutive(observation: Observation): void {
    const { consecutive: limits } = this.#options
    const { consecutive, recent } = observation
    const kind = consecutive.reached(limits)
    if (kind !== undefined) this.#accuse(observation, consecutiveOffence(kind, consecutive, recent, limits))
  }

  /** Lays a veto, if it may. */
  #accuse(observation: Observation, offence: Offence): void {
    const { backend, ejectTime } = observation
    observation.good = false
    if (this.#stopped || observation.offence !== undefined || !this.#isMember(backend)) return
    // In panic its veto by somebody else is ignored: another one would not help.
    const isUseless = this.#balancer.set.panicking && backend.vetoes.length > 0
    if (isUseless || !this.#mayVeto(backend)) {
      observation.withheld = { at: this.#epoch(), rule: offence.rule }
      return
    }
    const duration = ejectTime.next(this.#options, this.#balancer.random)
    observation.begin(this.#balancer.clock.now(), offence)
    const evidence = { rule: offence.kind, ...offence.evidence, timesEjected: ejectTime.times }
    this.#vetoes.lay(backend, offence.rule, evidence, duration)
  }

  #lift(backend: Backend, rule: string): boolean {
    const ejected = this.#vetoes.lift(backend, rule)
    const paused = this.#pauses.lift(backend, rule)
    return ejected || paused
  }

  #isMember(backend: Backend): boolean {
    return this.#balancer.set.all.includes(backend)
  }

  #isOut(backend: Backend): boolean {
    return this.#vetoes.has(backend) || this.#pauses.has(backend)
  }

  #mayPause(backend: Backend): boolean {
    return !this.#stopped && this.#isMember(backend) && this.#mayVeto(backend)
  }

  #mayVeto(backend: Backend): boolean {
    const { all } = this.#balancer.set
    let out = 0
    let others = 0
    for (const one of all) {
      if (one === backend) continue
      if (this.#isOut(one)) out++
      if (one.vetoes.length === 0) others++
    }
    return fitsCeiling({ total: all.length, out, others }, this.#options.maxEjected)
  }

  #arm(): void {
    const { clock } = this.#balancer
    this.#timer = clock.setTimeout(() => this.#look(), this.#options.interval / this.#looksPerInterval)
  }

  #look(): void {
    this.#arm()
    this.#vetoes.reconcile()
    this.#pauses.reconcile()
    const all = this.#balancer.set.all.map((backend) => this.#observe(backend))
    const isEnd = ++this.#looks % this.#looksPerInterval === 0
    if (isEnd) {
      for (const observation of all) observation.next()
      for (const observation of all) this.#judgeConsecutive(observation)
    }
    const judged = all.filter(({ offence }) => offence === undefined)
    if (isEnd) this.#accuseAll(rateAccusations(judged, this.#options.successRate))
    this.#accuseAll(latencyAccusations(judged, this.#balancer.clock.now(), this.#options))
  }

  #accuseAll(accusations: readonly Accusation[]): void {
    for (const { observation, offence } of accusations) this.#accuse(observation, offence)
  }
}

/** Nobody but passive checks objects to it. */
function isOurs({ vetoes }: Backend): boolean {
  return vetoes.every(({ by }) => by === 'outlier-detection' || by === 'pressure')
}
