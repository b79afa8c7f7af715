import type { LoadReport } from './parse-report.ts'

/** A report counts for this long (ms): Prequal's limit for probes. */
const lifetime = 1000

/** The most that utilization slows an estimate: a backend in full use counts as this many times slower. */
const slowest = 20

/** What a report comes to, for the balancer that got it. */
export interface ReportedLoad {
  readonly at: number
  /** Requests there that are not this balancer's, and those in the backend's own queue. Never below 0. */
  readonly others: number
  /** How many times longer requests take than on an idle backend, by its utilization: 1 to 20. */
  readonly slowness: number
  readonly report: LoadReport
}

/**
 * What a report comes to that arrived at `now` (ms), when `own` requests of this balancer were in flight there. A report
 * can only make a backend look busier than this balancer sees it: one that lies, or says too little, gets no more
 * than a backend that reports nothing.
 */
export function loadOf(report: LoadReport, own: number, now: number): ReportedLoad {
  const { inFlight = own, waiting = 0, utilization = 0 } = report
  return {
    at: now,
    others: Math.max(0, inFlight - own) + waiting,
    slowness: utilization >= 1 - 1 / slowest ? slowest : 1 / (1 - utilization),
    report,
  }
}

/** The report if it is not too old. */
export function freshLoad(load: ReportedLoad | undefined, now: number): ReportedLoad | undefined {
  return load !== undefined && now - load.at <= lifetime ? load : undefined
}
