import type { Attempt, Backend } from '@fastify-balancer/balancer-core'
import { Consecutive } from './consecutive.ts'
import { IntervalCounts } from './interval-counts.ts'
import type { Offence } from './offence.ts'
import { RecentFailures } from './recent-failures.ts'
import { EjectTime } from './eject-time.ts'
import { Waiting } from './waiting.ts'

/** An ejection that the ceiling did not allow. */
export interface Withheld {
  /** When, in ms since the epoch. */
  readonly at: number
  readonly rule: string
}

/** Why an unhealthy backend is not ejected. */
export interface NotEjected {
  /** In words, with figures. */
  readonly reason: string
  /** Since when it is unhealthy without being ejected, in ms since the epoch. */
  readonly since: number
}

/** What stands against an ejection. */
export type Obstacle = 'ceiling' | 'last' | 'panic' | 'shortfall'

/** Decay of the longest probe time with each later probe. */
const fading = 0.8

/** Everything that passive checks know about one backend. */
export class Observation {
  readonly backend: Backend
  readonly consecutive = new Consecutive()
  readonly recent = new RecentFailures()
  readonly counts = new IntervalCounts()
  readonly waiting = new Waiting()
  readonly ejectTime = new EjectTime()
  /** When it last sent response headers, on the clock in ms. */
  answeredAt = -Infinity
  /** Attempts that began then or earlier do not count: its last veto was placed or lifted then. */
  countsFrom = -Infinity
  /** When counting began, on the clock in ms. */
  watchedFrom: number
  /** When a check first found it hanging, on the clock in ms; undefined if the last check did not. */
  silentAt: number | undefined
  /** Time of the last successful probe, on the clock in ms, and the longest recent duration of such probes (ms). */
  goodProbeAt = -Infinity
  probeTime = 0
  /** The offence for which it is ejected. */
  offence: Offence | undefined
  /** In this interval: an ejection that the ceiling did not allow. */
  withheld: Withheld | undefined
  /** Why it is not ejected although it is unhealthy; undefined if it is ejected, or healthy. */
  notEjected: (NotEjected & { readonly obstacle: Obstacle }) | undefined
  /** So far in this interval it was not out by passive checks, and had no offence. */
  good = true

  constructor(backend: Backend, watchedFrom: number) {
    this.backend = backend
    this.watchedFrom = watchedFrom
  }

  /** True if the attempt began too early to count, or under a veto that panic mode ignored. */
  ignores(attempt: Attempt): boolean {
    return this.offence !== undefined || attempt.startedAt <= this.countsFrom
  }

  /** It is unhealthy and stays in use, now in ms since the epoch; true if that is news. */
  spare(obstacle: Obstacle, reason: string, now: number): boolean {
    const before = this.notEjected
    this.notEjected = { obstacle, reason, since: before?.since ?? now }
    return before?.obstacle !== obstacle
  }

  /** A probe succeeded now, after this many ms. */
  probed(now: number, took: number): void {
    this.goodProbeAt = now
    this.probeTime = Math.max(took, this.probeTime * fading)
  }

  /** Resets all counts, after its veto was placed or lifted. */
  begin(now: number, offence: Offence | undefined): void {
    this.offence = offence
    this.countsFrom = now
    this.watchedFrom = now
    this.silentAt = undefined
    this.withheld = undefined
    this.notEjected = undefined
    this.consecutive.reset()
    this.recent.clear()
    this.counts.clear()
  }

  /** Starts the next interval. */
  next(): void {
    if (this.good && this.backend.vetoes.length === 0) this.ejectTime.forgive()
    this.good = this.offence === undefined
    this.withheld = undefined
    this.counts.next()
  }
}
