import type { Attempt, Backend } from '@fastify-balancer/balancer-core'
import { Consecutive } from './consecutive.ts'
import { IntervalCounts } from './interval-counts.ts'
import type { Offence } from './offence.ts'
import { RecentFailures } from './recent-failures.ts'
import { EjectTime } from './eject-time.ts'
import { Waiting } from './waiting.ts'

/** What would have been done if the ceiling had allowed it. */
export interface Withheld {
  /** When, in ms since the epoch. */
  readonly at: number
  readonly rule: string
}

/** A probe that took long is remembered for some time: with each later one a little less. */
const fading = 0.8

/** All that passive checks know of one backend. */
export class Observation {
  readonly backend: Backend
  readonly consecutive = new Consecutive()
  readonly recent = new RecentFailures()
  readonly counts = new IntervalCounts()
  readonly waiting = new Waiting()
  readonly ejectTime = new EjectTime()
  /** When it last sent response headers, on the clock in ms. */
  answeredAt = -Infinity
  /** Attempts that began then or earlier count nothing: its last veto was laid or lifted then. */
  countsFrom = -Infinity
  /** When counting began, on the clock in ms. */
  watchedFrom: number
  /** When a look first found it silent, on the clock in ms; undefined when the last one did not. */
  silentAt: number | undefined
  /** When a probe was last answered well, on the clock in ms, and how long those take (ms): the longest lately. */
  goodProbeAt = -Infinity
  probeTime = 0
  /** It is left alone for this. */
  offence: Offence | undefined
  /** Until the interval ends: the ceiling stood before a veto. */
  withheld: Withheld | undefined
  /** So far in this interval it could be used, as far as we are concerned, and has done nothing wrong. */
  good = true

  constructor(backend: Backend, watchedFrom: number) {
    this.backend = backend
    this.watchedFrom = watchedFrom
  }

  /** Begun too early to say anything, or under a veto that was ignored in panic. */
  ignores(attempt: Attempt): boolean {
    return this.offence !== undefined || attempt.startedAt <= this.countsFrom
  }

  /** A probe was answered well, now, and took so many ms. */
  probed(now: number, took: number): void {
    this.goodProbeAt = now
    this.probeTime = Math.max(took, this.probeTime * fading)
  }

  /** Everything that was counted is forgotten: its veto has been laid or lifted. */
  begin(now: number, offence: Offence | undefined): void {
    this.offence = offence
    this.countsFrom = now
    this.watchedFrom = now
    this.silentAt = undefined
    this.withheld = undefined
    this.consecutive.reset()
    this.recent.clear()
    this.counts.clear()
  }

  /** The interval is over. */
  next(): void {
    if (this.good && this.backend.vetoes.length === 0) this.ejectTime.forgive()
    this.good = this.offence === undefined
    this.withheld = undefined
    this.counts.next()
  }
}
