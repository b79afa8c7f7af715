import type { IntervalShare } from './observed/interval-counts.ts'
import type { NotEjected, Observation, Withheld } from './observed/observation.ts'
import type { TimedVetoes } from './timed-vetoes.ts'

/** What passive checks know about one backend: plain data for JSON. */
export interface OutlierView {
  readonly consecutive: { readonly failures: number; readonly gateway: number; readonly unreached: number }
  /** The current interval, and the one before. */
  readonly interval: IntervalShare
  readonly lastInterval: IntervalShare
  /**
   * p90 of the time from the end of the request to the response headers, over both intervals (ms); null without any.
   */
  readonly p90: number | null
  /** How many attempts wait for response headers, and the longest wait (ms). */
  readonly waiting: number
  readonly longestWait: number
  /** Number of recent ejections: the next one is longer accordingly. */
  readonly timesEjected: number
  /** Until when it is ejected, and why; ms since the epoch. */
  readonly ejected: { readonly until: number; readonly rule: string } | null
  /** Until when it is paused because it asked for it; ms since the epoch. */
  readonly paused: { readonly until: number } | null
  /** An ejection in this interval that the ceiling did not allow. */
  readonly withheld: Withheld | null
  /** Why it is not ejected although it is unhealthy. */
  readonly notEjected: NotEjected | null
}

const share = ({ attempts, failures }: IntervalShare): IntervalShare => ({ attempts, failures })

/** `now` is on the clock, in ms. */
export function outlierView(
  observation: Observation,
  now: number,
  vetoes: TimedVetoes,
  pauses: TimedVetoes,
): OutlierView {
  const { backend, consecutive, counts, waiting, ejectTime, offence, withheld, notEjected } = observation
  const { failures, gateway, unreached } = consecutive
  const until = vetoes.until(backend)
  const pausedUntil = pauses.until(backend)
  // In panic mode it is in use, whatever keeps it out.
  const isSpared = notEjected !== undefined && (backend.available || notEjected.obstacle === 'panic')
  return {
    consecutive: { failures, gateway, unreached },
    interval: share(counts.active),
    lastInterval: share(counts.ended),
    p90: counts.p90 ?? null,
    waiting: waiting.size,
    longestWait: now - (waiting.oldest ?? now),
    timesEjected: ejectTime.times,
    ejected: until === undefined || offence === undefined ? null : { until, rule: offence.rule },
    paused: pausedUntil === undefined ? null : { until: pausedUntil },
    withheld: withheld ?? null,
    notEjected: isSpared ? { reason: notEjected.reason, since: notEjected.since } : null,
  }
}
