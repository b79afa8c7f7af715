// Room `passive`: ejects backends because of their traffic, and decides for how long.
import type { Attempt, Backend, BackendSet, Balancer } from '@fastify-balancer/balancer-core'
import { Pauses } from '@fastify-balancer/option-schema'
import type { Judge } from '../judgement/judgement.ts'
import type { Observation } from './observed/observation.ts'
import { LongPaths } from './observed/long-paths.ts'
import { Observations } from './observed/observations.ts'
import { OutlierVetoes, type SparedListener } from './outlier-vetoes.ts'
import type { OutlierView } from './outlier-view.ts'
import type { PressureOptions } from './pressure-options.ts'
import { Pressure } from './pressure.ts'
import { judgeLatency } from './rules/latency-judgement.ts'
import { consecutiveOffence } from './rules/offences.ts'
import type { OutlierOptions } from './rules/outlier-options.ts'
import { rateAccusations, type Accusation } from './rules/rate-judgement.ts'
import { shortfalls } from './rules/shortfall.ts'

/** Longest time between two checks for hanging and slow backends (ms): a hanging one is ejected after two checks. */
const longestPeriod = 500

const looksPer = ({ interval }: OutlierOptions) => Math.ceil(interval / longestPeriod)

/**
 * Judges backends by their attempts: failures in a row at once, hanging and slow ones at each check, success rates
 * after each interval.
 */
export class OutlierDetection {
  readonly #balancer: Balancer
  #options: OutlierOptions
  readonly #epoch: () => number
  readonly #observations: Observations
  readonly #vetoes: OutlierVetoes
  readonly #pressure: Pressure
  readonly #pauses: Pauses
  readonly #longPaths: LongPaths
  #looksPerInterval: number
  #looks = 0
  #probe: ((backend: Backend) => void) | undefined
  #timer: unknown

  /**
   * `pauses` are those of this process; `epoch` returns ms since 1970, for evidence and for dates in `Retry-After`; `onSpared`
   * is told why unhealthy backends are not ejected.
   */
  constructor(
    balancer: Balancer,
    options: OutlierOptions,
    pressureOptions: PressureOptions,
    judge: Judge,
    pauses: Pauses = new Pauses(balancer.clock),
    epoch: () => number = Date.now,
    onSpared: SparedListener = () => {},
  ) {
    this.#balancer = balancer
    this.#options = options
    this.#epoch = epoch
    this.#pauses = pauses
    this.#observations = new Observations(balancer.clock)
    const vetoes = new OutlierVetoes(balancer, options, this.#observations, judge, epoch, onSpared)
    this.#vetoes = vetoes
    this.#pressure = new Pressure(pressureOptions, vetoes.pauses, epoch, (backend) => vetoes.mayPause(backend))
    this.#longPaths = new LongPaths(options.latency.atLeast)
    this.#looksPerInterval = looksPer(options)
  }

  /** Starts the regular checks. */
  start(): void {
    this.#vetoes.start()
    if (this.#timer === undefined) this.#arm()
  }

  /** Uses these options from now on. Counts stay, and ejected backends stay out for their time. */
  configure(options: OutlierOptions, pressure: PressureOptions): void {
    const { interval } = this.#options
    this.#options = options
    this.#vetoes.configure(options)
    this.#pressure.configure(pressure)
    if (interval === options.interval) return
    this.#looksPerInterval = looksPer(options)
    this.#looks = 0
    if (this.#timer === undefined) return
    this.#balancer.clock.clearTimeout(this.#timer)
    this.#arm()
  }

  /** Lifts every veto, cancels every timer, and stops judging. */
  stop(): void {
    this.#balancer.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#vetoes.stop()
  }

  /** For `onAttemptStart`. */
  attemptStarted(attempt: Attempt): void {
    this.#observations.of(attempt.backend).waiting.enter(attempt)
  }

  /** For `onAttemptResponse`. */
  attemptResponded(attempt: Attempt): void {
    const observation = this.#observations.of(attempt.backend)
    observation.waiting.leave(attempt)
    observation.answeredAt = attempt.respondedAt
    this.#pressure.heed(attempt)
    if (this.#pressure.isPressure(attempt)) return
    // Before it had the whole request, the client may have been slow; during a pause, this process was.
    if (!attempt.uploaded || this.#pauses.happenedSince(attempt.startedAt, attempt.respondedAt)) return
    const isPathsOwn = this.#longPaths.answered(attempt, attempt.respondedAt)
    if (!isPathsOwn && !observation.ignores(attempt)) observation.counts.measure(attempt.responseTime)
  }

  /** For `onAttemptEnd`. */
  attemptEnded(attempt: Attempt): void {
    const { outcome, effectiveStatus: status, grpcStatus } = attempt
    const observation = this.#observations.of(attempt.backend)
    if (outcome !== 'ok') observation.waiting.leave(attempt)
    if (observation.ignores(attempt) || this.#pressure.isPressure(attempt)) return
    if (attempt.blame === 'backend' && !this.#mayBeOurs(attempt)) this.#fail(observation, attempt, outcome!)
    // Known since the headers: a client that leaves later does not change it.
    else if (status >= 500) this.#fail(observation, attempt, grpcStatus ?? status)
    else if (outcome === 'ok') {
      observation.counts.count(false)
      observation.consecutive.reset()
    }
  }

  /** For `onBackendsChange`: forgets who has left; when fewer may be out than are, those come back that were due first. */
  backendsChanged(now: BackendSet): void {
    this.#vetoes.backendsChanged(now)
  }

  /**
   * Sets the probe for backends that seem to hang, if there is one; results are reported to `goodProbe` and `noProbe`.
   */
  askWith(probe: ((backend: Backend) => void) | undefined): void {
    this.#probe = probe
  }

  /** A probe was inconclusive: a backend that seems to hang is probed again. */
  noProbe(backend: Backend): void {
    this.#observations.of(backend).silentAt = undefined
  }

  /** A successful active probe that took this many ms; `changed`: the backend became healthy by it. */
  goodProbe(backend: Backend, changed: boolean, took = 0): void {
    this.#observations.of(backend).probed(this.#balancer.clock.now(), took)
    if (!this.#options.probeLifts) return
    if (changed) this.#vetoes.lift(backend, 'probes found it healthy again')
    else if (this.#observations.peek(backend).offence?.kind === 'unreached')
      this.#vetoes.acquit(backend, 'a probe could connect')
  }

  /** Ends an ejection or pause by hand; false if there is none. The number of recent ejections stays. */
  lift(backend: Backend): boolean {
    return this.#vetoes.lift(backend, 'lifted by hand')
  }

  /** A view of its state. */
  of(backend: Backend): OutlierView {
    return this.#vetoes.viewOf(backend)
  }

  /**
   * True if this process was paused during the attempt, so that a timeout or broken connection may be its own fault. A
   * refused connection is not.
   */
  #mayBeOurs({ outcome, startedAt, endedAt }: Attempt): boolean {
    return outcome !== 'connect-refused' && this.#pauses.happenedSince(startedAt, endedAt)
  }

  /** `what` has failed: the status of the response, by number or of gRPC, or the reason. */
  #fail(observation: Observation, attempt: Attempt, what: number | string): void {
    const { consecutive, counts, recent } = observation
    counts.count(true)
    consecutive.fail(attempt.effectiveStatus, attempt.started)
    recent.add(this.#epoch(), what)
    if (what === 'headers-timeout') counts.measure(attempt.endedAt - (attempt.askedAt ?? attempt.startedAt))
    // An ejection that the ceiling did not allow is tried again after the interval, not after each failure.
    if (observation.withheld === undefined) this.#judgeConsecutive(observation)
  }

  #judgeConsecutive(observation: Observation): void {
    const { consecutive: limits } = this.#options
    const { consecutive, recent } = observation
    const kind = consecutive.reached(limits)
    if (kind !== undefined) this.#vetoes.accuse(observation, consecutiveOffence(kind, consecutive, recent, limits))
  }

  #arm(): void {
    const { clock } = this.#balancer
    this.#timer = clock.setTimeout(() => this.#look(), this.#options.interval / this.#looksPerInterval)
  }

  #look(): void {
    this.#arm()
    this.#vetoes.reconcile()
    const all = this.#observations.members((backend) => this.#balancer.has(backend))
    const isEnd = ++this.#looks % this.#looksPerInterval === 0
    if (isEnd) {
      for (const observation of all) observation.next()
      // Without a failure in this interval, an old row does not count: it may have recovered since.
      for (const observation of all) if (observation.counts.ended.failures > 0) this.#judgeConsecutive(observation)
    }
    const judged = all.filter(({ offence }) => offence === undefined)
    if (isEnd) this.#accuseAll(rateAccusations(judged, this.#options.successRate))
    const now = this.#balancer.clock.now()
    const resumedAt = this.#pauses.resumedAt(now)
    const probe = this.#probe
    const { accusations, limit } = judgeLatency(
      judged,
      {
        now,
        resumedAt,
        explains: (attempt, waited) => this.#longPaths.explains(attempt, waited),
        probe: probe && (({ backend }) => probe(backend)),
      },
      this.#options,
    )
    this.#longPaths.look(now, limit, isEnd)
    this.#accuseAll(accusations)
    if (isEnd) this.#explain(judged)
  }

  /** Why those that look unhealthy are not even accused. */
  #explain(judged: readonly Observation[]): void {
    const asked = judged.filter(({ withheld }) => withheld === undefined)
    for (const { observation, reason } of shortfalls(asked, judged, this.#options)) {
      if (reason === undefined || !observation.backend.available) observation.notEjected = undefined
      else this.#vetoes.spare(observation, 'shortfall', reason)
    }
  }

  #accuseAll(accusations: readonly Accusation[]): void {
    for (const { observation, offence } of accusations) this.#vetoes.accuse(observation, offence)
  }
}
