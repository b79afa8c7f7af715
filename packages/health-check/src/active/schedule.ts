import { isDeepStrictEqual } from 'node:util'
import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import type { Pauses } from '@fastify-balancer/option-schema'
import { Probing, type Probe, type ProbeReport, type ProbeTiming } from '../probe/probing.ts'
import type { ActiveOptions } from './active-options.ts'
import type { Pace } from './rise-fall.ts'

/** What the schedules of all backends share. */
export interface Timetable extends ProbeTiming {
  readonly random: () => number
  readonly probe: Probe
  /** In ms, from the beginning of one probe to that of the next. */
  readonly intervals: Readonly<Record<Pace, number>>
  /** By which share of it, more or less, an interval varies: 0 to 1. */
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

/** One may be under way already, or come too soon to find that all is well again. */
const hastenedProbes = 2

/**
 * When one backend is probed: on its own, so that a slow one delays no other; never twice at once; and each interval
 * counted from the beginning of the last probe, so that a slow answer does not make probes rarer.
 */
export class Schedule {
  readonly #backend: Backend
  #table: Timetable
  readonly #onReport: (report: ProbeReport) => Pace
  /** Whoever waits for the report of the probe under way. */
  #waiting: ((report: ProbeReport) => void)[] = []
  #probing: Probing | undefined
  #timer: unknown
  #startedAt = 0
  #state: 'waiting' | 'running' | 'stopped' = 'waiting'
  #isSpread = false
  /** As the last report had it. */
  #pace: Pace = 'interval'
  /** So many probes more come after the fast interval. */
  #hastened = 0

  /** `onReport` hears of each probe, and says which interval comes next. */
  constructor(backend: Backend, table: Timetable, onReport: (report: ProbeReport) => Pace) {
    this.#backend = backend
    this.#table = table
    this.#onReport = onReport
  }

  /** Goes on by itself from now on, the first time after a random share of an interval. */
  begin(pace: Pace): void {
    if (this.#state === 'stopped') return
    this.#state = 'running'
    this.#arm(pace)
  }

  /** Goes on by itself from now on, with a probe at once. */
  beginNow(onReport: (report: ProbeReport) => void): void {
    if (this.#state !== 'stopped') this.#state = 'running'
    this.probe(onReport)
  }

  /** Goes by another timetable from now on. Where its intervals are others, the next one begins at a random share of it. */
  configure(table: Timetable): void {
    const { intervals } = this.#table
    this.#table = table
    if (isDeepStrictEqual(intervals, table.intervals)) return
    this.#isSpread = false
    this.#arm(this.#pace)
  }

  /** Traffic says that something is wrong: the next probes come soon. */
  hasten(): void {
    const wasHastened = this.#hastened > 0
    this.#hastened = hastenedProbes
    if (!wasHastened) this.#arm(this.#pace)
  }

  /** Probes at once, or waits for the probe that is under way. */
  probe(onReport?: (report: ProbeReport) => void): void {
    if (onReport !== undefined) this.#waiting.push(onReport)
    if (this.#probing !== undefined) return
    this.#startedAt = this.#table.clock.now()
    if (this.#hastened > 0) this.#hastened--
    const probing = new Probing(this.#table, (report) => this.#end(report))
    this.#probing = probing
    if (this.#state === 'stopped') probing.bad('not asked: the check has stopped')
    else probing.start(this.#table.probe, this.#backend)
  }

  /** Tells the report of the next probe, whenever that comes. */
  hearNext(onReport: (report: ProbeReport) => void): void {
    this.#waiting.push(onReport)
  }

  /** Nothing is pending afterwards; a probe under way is taken back, and counts for nothing. */
  stop(): void {
    this.#state = 'stopped'
    this.#table.clock.clearTimeout(this.#timer)
    if (this.#probing !== undefined) this.#probing.bad('taken back: the check has stopped')
    // Whoever waits for a probe that will not come is told so.
    else if (this.#waiting.length > 0) this.probe()
  }

  #end(report: ProbeReport): void {
    this.#probing = undefined
    const waiting = this.#waiting
    this.#waiting = []
    // Judged first: whoever waits should find what has come of it.
    if (this.#state !== 'stopped') this.#arm(this.#onReport(report))
    for (const tell of waiting) tell(report)
  }

  /** Unless a probe is under way, which will do so; whoever was told of the last may have begun it, or stopped all. */
  #arm(pace: Pace): void {
    this.#pace = pace
    if (this.#state !== 'running' || this.#probing !== undefined) return
    const { clock, random, intervals, jitter } = this.#table
    const interval = this.#hastened > 0 ? Math.min(intervals.fastInterval, intervals[pace]) : intervals[pace]
    // A probe on demand has come before the one that was due.
    clock.clearTimeout(this.#timer)
    this.#timer = clock.setTimeout(() => this.probe(), Math.round(this.#delay(interval, jitter, random(), clock.now())))
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
