import { isDeepStrictEqual } from 'node:util'
import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import type { Pauses } from '@fastify-balancer/option-schema'
import { Probing, type Probe, type ProbeReport, type ProbeTiming } from '../probe/probing.ts'
import type { Duty } from '../sharing/duty.ts'
import type { ActiveOptions } from './active-options.ts'
import type { Pace } from './rise-fall.ts'

/** Settings shared by the schedules of all backends. */
export interface Timetable extends ProbeTiming {
  readonly random: () => number
  readonly probe: Probe
  /** In ms, from the beginning of one probe to that of the next. */
  readonly intervals: Readonly<Record<Pace, number>>
  /** Random variation of an interval, as a share: 0 to 1. */
  readonly jitter: number
}

/** The timetable that options ask for. */
export function timetable(
  options: ActiveOptions,
  probe: Probe,
  { clock, random }: Pick<Balancer, 'clock' | 'random'>,
  pauses: Pauses,
): Timetable {
  const { interval, timeout, jitter } = options
  const { fastInterval = Math.min(interval, 1000), downInterval = interval } = options
  const intervals = { interval, fastInterval, downInterval }
  return { clock, pauses, random, probe, timeout, intervals, jitter }
}

/**
 * After trouble in the traffic, this many fast probes: one may be in progress already, or come too early to see a
 * recovery.
 */
const hastenedProbes = 2

/** A report of another instance. */
export interface HeardReport {
  readonly report: ProbeReport
  /** When its probe began, on the clock. */
  readonly startedAt: number
  /** The interval that it chooses. */
  readonly pace: Pace
  readonly isKeepers: boolean
}

/**
 * The schedule of one backend: independent, so that a slow backend delays no other; never two probes at once; intervals
 * count from the start of the last probe, so that slow responses do not make probes rarer.
 */
export class Schedule {
  readonly #backend: Backend
  #table: Timetable
  readonly #onReport: (report: ProbeReport) => Pace
  readonly #duty: Duty | undefined
  /** Callers that wait for the report of the probe in progress. */
  #waiting: ((report: ProbeReport) => void)[] = []
  #probing: Probing | undefined
  #timer: unknown
  #startedAt = 0
  #state: 'waiting' | 'running' | 'stopped' = 'waiting'
  #isSpread = false
  /** The interval chosen by the last report. */
  #pace: Pace = 'interval'
  /** How many more probes use the fast interval. */
  #hastened = 0

  /**
   * `onReport` gets each report of a probe from here, and returns which interval comes next. `duty` says whether this instance
   * probes; without it, it does.
   */
  constructor(backend: Backend, table: Timetable, onReport: (report: ProbeReport) => Pace, duty?: Duty) {
    this.#backend = backend
    this.#table = table
    this.#onReport = onReport
    this.#duty = duty
  }

  /** When the last probe began that is known of, on the clock. */
  get startedAt(): number {
    return this.#startedAt
  }

  /** Starts, with the first probe after a random share of an interval. */
  begin(pace: Pace): void {
    if (this.#state === 'stopped') return
    this.#state = 'running'
    this.#duty?.expect(this.#table.clock.now())
    this.#arm(pace)
  }

  /** Starts, with a probe at once, by this instance or by another one. */
  beginNow(onReport: (report: ProbeReport) => void): void {
    if (this.#isOurs || this.#state === 'stopped') {
      if (this.#state !== 'stopped') this.#state = 'running'
      return this.probe(onReport)
    }
    this.hearNext(onReport)
    this.begin('fastInterval')
  }

  /** Goes by another timetable from now on. Where its intervals are others, the next one begins at a random share of it. */
  configure(table: Timetable): void {
    const { intervals } = this.#table
    this.#table = table
    if (isDeepStrictEqual(intervals, table.intervals)) return
    this.#isSpread = false
    this.#duty?.expect(table.clock.now())
    this.#arm(this.#pace)
  }

  /** Traffic shows a problem: the next probes come soon. False if they did already. */
  hasten(): boolean {
    const wasHastened = this.#hastened > 0
    this.#hastened = hastenedProbes
    if (wasHastened) return false
    this.#duty?.expect(this.#table.clock.now())
    this.#arm(this.#pace)
    return true
  }

  /** Another instance has probed: the next probe comes as after one of its own. */
  heard({ report, startedAt, pace, isKeepers }: HeardReport): void {
    if (this.#state === 'stopped') return
    this.#startedAt = Math.max(this.#startedAt, startedAt)
    // The intervals of the instance that probes are spread.
    this.#isSpread = true
    if (this.#hastened > 0) this.#hastened--
    this.#duty?.expect(startedAt)
    if (isKeepers) this.#duty?.heardKeeper()
    this.#arm(pace)
    // Those who wait for a probe that is under way here get that.
    if (this.#probing === undefined) for (const tell of this.#takeWaiting()) tell(report)
  }

  /** Another instance probes for all from now on, or this one does. */
  keeperChanged(): void {
    this.#duty?.keeperChanged(this.#table.clock.now())
    // A first probe that another one had to make.
    if (this.#state === 'running' && this.#isOurs && this.#waiting.length > 0) this.probe()
    else this.#arm(this.#pace)
  }

  /** It was probed before it entered the list, and that probe began then. */
  began(at: number): void {
    this.#startedAt = at
  }

  /** Another instance sees a problem: if this one probes, it does so soon. */
  look(): void {
    if (this.#isOurs) this.hasten()
  }

  /** Probes at once, or waits for the probe in progress. */
  probe(onReport?: (report: ProbeReport) => void): void {
    if (onReport !== undefined) this.#waiting.push(onReport)
    if (this.#probing !== undefined) return
    this.#startedAt = this.#table.clock.now()
    this.#duty?.expect(this.#startedAt)
    if (this.#hastened > 0) this.#hastened--
    const probing = new Probing(this.#table, (report) => this.#end(report))
    this.#probing = probing
    if (this.#state === 'stopped') probing.bad('not probed: the health check has stopped')
    else probing.start(this.#table.probe, this.#backend)
  }

  /** Calls back with the report of the next probe. */
  hearNext(onReport: (report: ProbeReport) => void): void {
    this.#waiting.push(onReport)
  }

  /** Stops everything; a probe in progress is cancelled and does not count. */
  stop(): void {
    this.#state = 'stopped'
    this.#table.clock.clearTimeout(this.#timer)
    if (this.#probing !== undefined) this.#probing.bad('cancelled: the health check has stopped')
    // Callers that wait for a probe are told that it was cancelled.
    else if (this.#waiting.length > 0) this.probe()
  }

  #end(report: ProbeReport): void {
    this.#probing = undefined
    const waiting = this.#takeWaiting()
    // Handled first, so that callers see the resulting state.
    if (this.#state !== 'stopped') this.#arm(this.#onReport(report))
    for (const tell of waiting) tell(report)
  }

  #takeWaiting() {
    const waiting = this.#waiting
    this.#waiting = []
    return waiting
  }

  get #isOurs(): boolean {
    return this.#duty?.isOurs !== false
  }

  /**
   * Unless a probe is in progress, which will do so: a listener of the last report may have started one, or stopped
   * everything.
   */
  #arm(pace: Pace): void {
    this.#pace = pace
    if (this.#state !== 'running' || this.#probing !== undefined) return
    const { clock, random, intervals, jitter, timeout } = this.#table
    const interval = this.#hastened > 0 ? Math.min(intervals.fastInterval, intervals[pace]) : intervals[pace]
    // A probe on demand came before the scheduled one.
    clock.clearTimeout(this.#timer)
    const now = clock.now()
    const delay = this.#isOurs
      ? this.#delay(interval, jitter, random(), now)
      : this.#duty!.patience(interval, timeout, now)
    this.#timer = clock.setTimeout(() => this.#ring(), Math.round(delay))
  }

  #ring(): void {
    if (!this.#isOurs) this.#duty!.standIn()
    this.probe()
  }

  #delay(interval: number, jitter: number, draw: number, now: number): number {
    if (this.#isSpread) return Math.max(0, this.#startedAt + interval * (1 + jitter * (2 * draw - 1)) - now)
    this.#isSpread = true
    return interval * draw
  }
}

/** Calls `done` at the first probe that says something. */
export function untilKnown(schedule: Schedule, done: () => void): (report: ProbeReport) => void {
  return function tell({ inconclusive }) {
    if (inconclusive !== undefined) schedule.hearNext(tell)
    else done()
  }
}
