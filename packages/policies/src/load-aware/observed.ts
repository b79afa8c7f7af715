// Room `load-aware`: policies that learn from the responses how busy each backend is.
import type { Backend } from '@fastify-balancer/balancer-core'
import { freshLoad, type ReportedLoad } from '../load-reports/reported-load.ts'

/** Response times below this (ms) are not told apart. It also limits how long a slow past can count. */
const finest = 0.1

/** How long a response time counts in full (ms), before an unused backend's past begins to fade. */
const grace = 1000

/** What one policy has seen of one backend. Dropped with the backend. */
export abstract class Observed {
  readonly backend: Backend
  /** Requests that it has had completely, and has not answered yet. An upload that goes on is not one. */
  waiting = 0
  /** The sum of the times at which those began, in ms. */
  waitingSince = 0
  /** When it was last heard of, or was idle and got a request, in ms. */
  heardAt = 0
  /** When it last got a request, in ms. */
  usedAt = 0
  report: ReportedLoad | undefined

  constructor(backend: Backend) {
    this.backend = backend
  }

  /**
   * It answered within `duration` ms. `load` requests were in flight when it got the request; undefined if that is not
   * known.
   */
  abstract responded(duration: number, now: number, load?: number): void
  /** An attempt failed, or was answered with a 5xx. */
  abstract failed(now: number): void
  /** The response time that counts now, in ms; undefined before the first response. */
  abstract time(now: number): number | undefined

  /** It was given up after `duration` ms without a response, which would have taken longer. */
  abandoned(duration: number, now: number): void {
    if (duration > (this.time(now) ?? Infinity)) this.responded(duration, now)
  }

  /** For how long it has had requests and sent nothing, in ms. */
  silence(now: number): number {
    return this.waiting === 0 ? 0 : now - this.heardAt
  }

  /** The mean age of the requests that wait for it, in ms. */
  waitingAge(now: number): number {
    return this.waiting === 0 ? 0 : now - this.waitingSince / this.waiting
  }

  /** Requests in flight there, recent failures, tunnels by their weight, and what it has reported of other balancers. */
  load(now: number): number {
    const report = freshLoad(this.report, now)
    return report === undefined ? this.backend.load : this.backend.load + report.others
  }

  /**
   * What one more request costs there, if each takes `time` ms: its own time, and that of the load ahead of it,
   * relative to the weight. At equal load, weights decide nothing: they are shares, no speeds.
   */
  costAt(time: number, now: number, meanWeight: number): number {
    const { effectiveWeight, load } = this.backend
    const report = freshLoad(this.report, now)
    const all = report === undefined ? load : load + report.others
    const cost = Math.max(time, finest) * (1 + (all * meanWeight) / effectiveWeight)
    return report === undefined ? cost : cost * report.slowness
  }

  /** What it costs before the first response: nothing while it is idle, and then more than any other (Finagle). */
  unknownCost(now: number, meanWeight: number): number {
    return this.backend.inFlight === 0 ? 0 : this.costAt(unknown, now, meanWeight)
  }
}

/** The response time of a backend that has answered nothing yet (ms): it gets one request after the other. */
const unknown = 1e9

/** What is left of a response time that was measured `age` ms ago: it fades, so that a slow backend is tried again. */
export function faded(time: number, age: number, decay: number): number {
  return age <= grace ? time : time * Math.exp((grace - age) / decay)
}
