// Room `passive/rules`: the rules that turn observations into offences.
import type { Consecutive, ConsecutiveKind, ConsecutiveLimits } from '../observed/consecutive.ts'
import type { Offence } from '../observed/offence.ts'
import type { RecentFailures } from '../observed/recent-failures.ts'
import type { LatencyLimit } from './latency-rule.ts'
import type { SuccessRateLimit } from './success-rate.ts'

const consecutiveWords: Readonly<Record<ConsecutiveKind, string>> = {
  failures: 'failures in a row',
  gateway: 'gateway errors in a row',
  unreached: 'connects in a row failed',
}

/** Milliseconds for people. */
export function inWords(duration: number): string {
  return `${duration < 10 ? duration.toFixed(1) : Math.round(duration)} ms`
}

/** A share for people. */
export const percent = (share: number) => `${(share * 100).toFixed(1)} %`

/** Too many failures in a row. */
export function consecutiveOffence(
  kind: ConsecutiveKind,
  consecutive: Consecutive,
  recent: RecentFailures,
  limits: ConsecutiveLimits,
): Offence {
  const count = consecutive[kind]
  return {
    kind,
    rule: `${count} ${consecutiveWords[kind]} (last: ${recent.last})`,
    evidence: { count, threshold: limits[kind], recent: recent.list() },
  }
}

/** A success rate far below the others'. */
export function successRateOffence(
  share: number,
  attempts: number,
  { mean, sigma, limit }: SuccessRateLimit,
  recent: RecentFailures,
): Offence {
  return {
    kind: 'success-rate',
    rule: `${percent(share)} of ${attempts} requests succeeded, limit ${percent(limit)} (mean of all backends ${percent(mean)})`,
    evidence: { share, attempts, mean, sigma, limit, recent: recent.list() },
  }
}

/** Much slower than its peers. */
export function latencyOffence(p90: number, measured: number, { median, limit }: LatencyLimit): Offence {
  const factor = (p90 / median).toFixed(1)
  return {
    kind: 'latency',
    rule: `p90 ${inWords(p90)}, ${factor} × the median of its peers (${inWords(median)})`,
    evidence: { p90, measured, median, limit },
  }
}

/** Hanging: no responses, while its peers respond. */
export function silenceOffence(count: number, waited: number, { median, limit }: LatencyLimit): Offence {
  return {
    kind: 'silence',
    rule:
      `hanging: ${count} requests have waited longer than ${inWords(limit)}, the longest ${inWords(waited)}, and none ` +
      `got a response (median p90 of its peers ${inWords(median)})`,
    evidence: { waiting: count, waited, median, limit },
  }
}
