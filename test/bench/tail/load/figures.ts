import { percentile } from '../../statistics.ts'
import type { Asked } from './asked.ts'
import { unanswered } from './connections.ts'

/** The latencies of many requests, ms. */
export interface Latencies {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly p999: number
}

/** What clients saw in one run. */
export interface LoadFigures extends Latencies {
  /** All that were sent, also before and after what is counted. */
  readonly sent: number
  /** Answered well in the time that counts, for each second of it. */
  readonly perSecond: number
  /** How often each way to fail came. */
  readonly errors: Readonly<Record<string, number>>
  /** Clients that gave up. They count in the latencies, with the time for which they waited. */
  readonly unanswered: number
}

/** Exact, of at least one. */
export function latenciesOf(times: readonly number[]): Latencies {
  const at = (share: number) => percentile(times, share)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), p999: at(0.999) }
}

/** Of the requests that were due from `from` until `until` (ms). @throws RangeError when there are none */
export function figuresOf(asked: readonly Asked[], { from, until }: { from: number; until: number }): LoadFigures {
  const counted = asked.filter(({ at }) => at >= from && at < until)
  const answered = asked.filter(({ at, took, problem }) => problem === '' && at + took >= from && at + took < until)
  const errors: Record<string, number> = {}
  for (const { problem } of counted)
    if (problem !== '' && problem !== unanswered) errors[problem] = (errors[problem] ?? 0) + 1
  return {
    sent: asked.length,
    ...latenciesOf(counted.map(({ took }) => took)),
    perSecond: (answered.length / (until - from)) * 1000,
    errors,
    unanswered: counted.filter(({ problem }) => problem === unanswered).length,
  }
}
