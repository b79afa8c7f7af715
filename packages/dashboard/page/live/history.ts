import type { Figures } from '../api/views.ts'

/** Time span of the charts (ms). */
export const chartSpan = 300_000

/** Figures come once a second; after this time without any (ms), the line is broken. */
const gap = 3500

/** Columns of a chart: times in seconds since the epoch, and the values at them. null = no value. */
export interface History {
  readonly times: readonly number[]
  readonly rate: readonly (number | null)[]
  readonly failures: readonly (number | null)[]
  /** Share of failed requests, in percent. */
  readonly errors: readonly (number | null)[]
  readonly p50: readonly (number | null)[]
  readonly p95: readonly (number | null)[]
  readonly p99: readonly (number | null)[]
}

/** The history at the start. */
export const noHistory: History = { times: [], rate: [], failures: [], errors: [], p50: [], p95: [], p99: [] }

/** A column with one more value, and without those before `from`. After a gap, `nothing` is inserted to break the line. */
export function extended<T>(column: readonly T[], from: number, isBroken: boolean, nothing: T, last: T): readonly T[] {
  const kept = column.slice(from)
  if (isBroken) kept.push(nothing)
  kept.push(last)
  return kept
}

/** Index of the first time that is at most `span` ms before `now`. */
export function beginning(times: readonly number[], now: number, span: number): number {
  const oldest = (now - span) / 1000
  const index = times.findIndex((time) => time >= oldest)
  return index < 0 ? times.length : index
}

/** Is there a gap before `now`? */
export function isAfterGap(times: readonly number[], now: number): boolean {
  const last = times.at(-1)
  return last !== undefined && now - last * 1000 > gap
}

/** The history with the figures of one more second. */
export function withFigures(history: History, figures: Figures): History {
  const { at, seconds, requests, failed, latency } = figures
  const { times } = history
  const from = beginning(times, at, chartSpan)
  const broken = isAfterGap(times, at)
  const grow = (column: readonly (number | null)[], value: number | null) => extended(column, from, broken, null, value)
  return {
    times: extended(times, from, broken, (times.at(-1) ?? 0) + 1, at / 1000),
    rate: grow(history.rate, requests / seconds),
    failures: grow(history.failures, failed / seconds),
    errors: grow(history.errors, requests === 0 ? null : (100 * failed) / requests),
    p50: grow(history.p50, latency?.p50 ?? null),
    p95: grow(history.p95, latency?.p95 ?? null),
    p99: grow(history.p99, latency?.p99 ?? null),
  }
}
