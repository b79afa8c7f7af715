import type { Subject } from './subjects/subject.ts'

/** One subject's figures of one round. */
export interface Sample {
  readonly requestsPerSecond: number
  /** µs of CPU of the proxy, with all its threads and workers. */
  readonly cpuPerRequest: number
  /** The share of its core that the proxy used: well below 1 means that something else was the limit. */
  readonly busy: number
  /** ms */
  readonly p50: number
  readonly p99: number
  readonly errors: number
}

/** The samples of each subject, one for each round. */
export type Samples = ReadonlyMap<Subject, readonly Sample[]>

/** Round by round: what disturbed a round disturbed both, and falls out. */
export function ratios(
  ones: readonly Sample[],
  others: readonly Sample[],
  figure: 'requestsPerSecond' | 'cpuPerRequest',
): number[] {
  return ones.map((one, round) => one[figure] / others[round]![figure])
}
