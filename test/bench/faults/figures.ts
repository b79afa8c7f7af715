import type { Sent } from './client.ts'
import { percentile } from '../statistics.ts'
import { hasFailed, viewOf, type ClientView } from './client-view.ts'
import { goneAfter, noticedAfter } from './detection.ts'
import { countsWithin, flawlessAfter, sharedAfter, unevenness } from './recovery.ts'
import type { Course } from './scenarios.ts'

/** All that one run has written down. Times in ms, monotonic. */
export interface Run {
  /** When clients began to send. */
  readonly begun: number
  /** When they sent no more. */
  readonly until: number
  /** Requests a second. */
  readonly rate: number
  readonly sent: readonly Sent[]
  readonly course: Course
}

/** What it comes to. A time that is missing did not come before the end. */
export interface FaultFigures extends ClientView {
  /** Before the fault: median, ms, and how many requests failed (0, or the run says little). */
  readonly calm: { readonly p50: number; readonly failed: number }
  /** ms from the fault to the first half second in which the sick backend got 2 % of the requests at most. */
  readonly noticedAfter?: number
  /** ms from the fault to the last moment at which it had got more than 2 %. */
  readonly goneAfter?: number
  /** Its share of the requests in the second half of the faulty time, 0–1. A fair one is 0.25. */
  readonly shareAtEnd?: number
  /** Of those that are well: how often as many requests the busiest got as the idlest. */
  readonly unevenness?: number
  /** Requests that failed though all backends were there again. */
  readonly failedAfterReturn?: number
  /** ms from the return to the first second without a failure. */
  readonly flawlessAfter?: number
  /** ms from the return to the first second in which all four got at least 15 %. */
  readonly sharedAfter?: number
}

/** ms: connections are opened and code is compiled in it. */
const warmUp = 1000

/** Works out the figures of a run. */
export function figuresOf(run: Run): FaultFigures {
  const { begun, sent, course } = run
  // What was under way at the moment of the fault was hit by it.
  const wasHit = ({ at, took }: Sent) => at + took >= course.since
  const calm = sent.filter((one) => one.at >= begun + warmUp && !wasHit(one))
  const p50 = percentile(
    calm.map(({ took }) => took),
    0.5,
  )
  return tidied({
    calm: { p50: tidy(p50), failed: calm.filter(hasFailed).length },
    ...viewOf(sent.filter(wasHit), p50),
    ...sicknessOf(run),
    ...recoveryOf(run),
    unevenness:
      course.well !== undefined && course.returned === undefined
        ? unevenness(course.well, { from: course.since, until: run.until })
        : undefined,
  })
}

function sicknessOf({ until, rate, course: { since, sick } }: Run) {
  if (sick === undefined) return {}
  const traffic = { arrivals: sick, rate, since, until }
  const from = (since + until) / 2
  const [late = 0] = countsWithin([sick], { from, until })
  return {
    noticedAfter: noticedAfter(traffic),
    goneAfter: goneAfter(traffic),
    shareAtEnd: late / ((rate * (until - from)) / 1000),
  }
}

function recoveryOf({ until, rate, sent, course: { returned: from, well } }: Run) {
  if (from === undefined || well === undefined) return {}
  const failures = sent.filter((one) => hasFailed(one) && one.at >= from).map(({ at }) => at)
  return {
    failedAfterReturn: failures.length,
    flawlessAfter: flawlessAfter(failures, { from, until }),
    sharedAfter: sharedAfter(well, { from, until, rate }),
  }
}

type Defined<Given> = { [Name in keyof Given]: Exclude<Given[Name], undefined> }

/** Without what is undefined. */
function tidied<Given extends object>(given: Given): Defined<Given> {
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(known.map(([name, value]) => [name, tidy(value)])) as Defined<Given>
}

/** Five digits of a fraction say more than a measurement knows. */
function tidy<Value>(value: Value): Value | number {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value
}
