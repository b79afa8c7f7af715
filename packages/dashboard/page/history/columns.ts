// Room `history`: what charts and totals are made of: periods of the past, and the seconds since.
import type { Period, Point } from './point.ts'

/** A value, or null where there is none. */
type Column = readonly (number | null)[]

/** Columns of the charts; all but `times` per second, or in ms. */
export interface Columns {
  /** In seconds since the epoch. */
  readonly times: readonly number[]
  readonly requests: Column
  readonly retries: Column
  readonly clientErrors: Column
  readonly serverErrors: Column
  readonly failed: Column
  readonly p50: Column
  readonly p95: Column
  readonly p99: Column
}

/** Figures come once a second; after this time without any (ms), the line is broken. */
const shortestGap = 2500

/** Is there a time without any between two periods? */
function isGap(before: Period, { at, seconds }: Period): boolean {
  const length = 1000 * Math.max(seconds, before.seconds)
  return at - 1000 * seconds - before.at > Math.max(shortestGap, length / 2)
}

/** Periods that follow each other, with the ends of them in seconds since the epoch; undefined where some are missing in between. */
export function rowsOf<Of extends Period>(
  periods: readonly Of[],
): { readonly times: readonly number[]; readonly rows: readonly (Of | undefined)[] } {
  const rows: (Of | undefined)[] = []
  const times: number[] = []
  for (const [index, period] of periods.entries()) {
    const before = periods[index - 1]
    if (before !== undefined && isGap(before, period)) {
      rows.push(undefined)
      times.push((before.at + 1) / 1000)
    }
    rows.push(period)
    times.push(period.at / 1000)
  }
  return { times, rows }
}

/** The columns of points that follow each other in time. Where some are missing in between, lines are broken. */
export function columnsOf(points: readonly Point[]): Columns {
  const { times, rows } = rowsOf(points)
  const column = (value: (point: Point) => number | null) =>
    rows.map((point) => (point === undefined ? null : value(point)))
  return {
    times,
    requests: column(({ requests, seconds }) => requests / seconds),
    retries: column(({ retries, seconds }) => retries / seconds),
    clientErrors: column(({ responses, seconds }) => responses['4xx'] / seconds),
    serverErrors: column(({ responses, seconds }) => responses['5xx'] / seconds),
    failed: column(({ failed, seconds }) => failed / seconds),
    p50: column(({ p50 }) => p50),
    p95: column(({ p95 }) => p95),
    p99: column(({ p99 }) => p99),
  }
}
