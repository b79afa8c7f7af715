import type { Consecutive, ConsecutiveKind } from './consecutive.ts'
import type { LatencyLimit } from '../rules/latency-rule.ts'
import type { ConsecutiveOptions } from '../rules/outlier-options.ts'
import type { RecentFailures } from './recent-failures.ts'
import type { SuccessRateLimit } from '../rules/success-rate.ts'

type OffenceKind = ConsecutiveKind | 'success-rate' | 'latency' | 'silence'

/** Why a backend is an outlier, in words and in numbers. */
export interface Offence {
  readonly kind: OffenceKind
  /** As one would say it. */
  readonly rule: string
  /** What it was held against: plain data. */
  readonly evidence: Readonly<Record<string, unknown>>
}

const consecutiveWords: Readonly<Record<ConsecutiveKind, string>> = {
  failures: 'consecutive failures',
  gateway: 'consecutive gateway failures',
  unreached: 'consecutive attempts could not reach it',
}

/** Milliseconds as one reads them. */
function inWords(duration: number): string {
  return `${duration < 10 ? duration.toFixed(1) : Math.round(duration)} ms`
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`

/** Too many failures in a row. */
export function consecutiveOffence(
  kind: ConsecutiveKind,
  consecutive: Consecutive,
  recent: RecentFailures,
  limits: ConsecutiveOptions,
): Offence {
  const count = consecutive[kind]
  return {
    kind,
    rule: `${count} ${consecutiveWords[kind]}, the last: ${recent.last}`,
    evidence: { count, threshold: limits[kind], recent: recent.list() },
  }
}

/** A share of successes far below the others'. */
export function successRateOffence(
  share: number,
  attempts: number,
  { mean, sigma, limit }: SuccessRateLimit,
  recent: RecentFailures,
): Offence {
  return {
    kind: 'success-rate',
    rule: `${percent(share)} of ${attempts} succeeded, less than ${percent(limit)} (on average ${percent(mean)})`,
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

/** Answers nobody, while its peers answer. */
export function silenceOffence(count: number, waited: number, { median, limit }: LatencyLimit): Offence {
  return {
    kind: 'silence',
    rule:
      `${count} requests wait longer than ${inWords(limit)}, up to ${inWords(waited)}, and none was answered since ` +
      `(median p90 of its peers: ${inWords(median)})`,
    evidence: { waiting: count, waited, median, limit },
  }
}
