import { coarser, type Period, type Point, type Responses } from './point.ts'
import { looks, ranges, type Range } from './range.ts'
import type { HistoryView } from '../api/past-views.ts'

/** What the server knows of a backend's past. */
export interface BackendPast {
  readonly range: Range
  /** In ms since the epoch: until then, everything is counted here. */
  readonly until: number
  readonly attempts: number
  readonly failed: number
  readonly latencies: readonly Latencies[]
}

interface Latencies extends Period {
  /** In ms; null without samples. */
  readonly p95: number | null
}

/** What the server knows of a balancer's past. */
export interface Past {
  readonly range: Range
  /** Length of a period (ms). */
  readonly step: number
  /** In ms since the epoch: until then, everything is counted here. */
  readonly until: number
  /** Without those in which nothing was measured. */
  readonly points: readonly Point[]
  readonly backends: ReadonlyMap<string, BackendPast>
}

function sum(column: readonly (number | null)[]): number {
  return column.reduce<number>((total, value) => total + (value ?? 0), 0)
}

function responsesAt({ responses }: HistoryView['totals'], index: number): Responses {
  const of = (name: keyof Responses) => responses[name][index] ?? 0
  return { '2xx': of('2xx'), '3xx': of('3xx'), '4xx': of('4xx'), '5xx': of('5xx') }
}

/** The times in which something was measured, by the index of their column; the last one has just begun. */
function periodsOf({ at, since, step, times }: HistoryView): readonly (Period | undefined)[] {
  return times.map((begin) => {
    const from = Math.max(begin, since)
    const to = Math.min(begin + step, at)
    return to > from ? { at: to, seconds: (to - from) / 1000 } : undefined
  })
}

/** The past as the server tells it. */
export function pastOf(view: HistoryView, range: Range): Past {
  const { at: until, step, totals, backends } = view
  const periods = periodsOf(view)
  const points: Point[] = []
  for (const [index, period] of periods.entries()) {
    const requests = totals.requests[index] ?? null
    if (period === undefined || requests === null) continue
    points.push({
      ...period,
      requests,
      failed: totals.failed[index] ?? 0,
      retries: totals.retries[index] ?? 0,
      responses: responsesAt(totals, index),
      p50: totals.p50[index] ?? null,
      p95: totals.p95[index] ?? null,
      p99: totals.p99[index] ?? null,
    })
  }
  const told = backends.map(({ id, attempts, failed, p95 }) => {
    const latencies = periods.flatMap((period, index) =>
      period === undefined ? [] : [{ ...period, p95: p95[index] ?? null }],
    )
    return [id, { range, until, attempts: sum(attempts), failed: sum(failed), latencies }] as const
  })
  return { range, step, until, points, backends: new Map(told) }
}

/** The past, followed by the seconds since, as far back as `range`; the seconds are joined to longer periods unless it is live. */
export function merged(past: Past | undefined, seconds: readonly Point[], range: Range): readonly Point[] {
  const since = past === undefined ? seconds : seconds.filter(({ at }) => at > past.until)
  const isLive = range === ranges[0] || past === undefined
  const all = [...(past?.points ?? []), ...(isLive ? since : coarser(since, past.step))]
  const oldest = (all.at(-1)?.at ?? 0) - looks[range].span
  return all.filter(({ at }) => at >= oldest)
}
