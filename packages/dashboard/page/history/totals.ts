import { noResponses, sumOf, type Point } from './point.ts'

/** What happened in all points together. */
export type Totals = Pick<Point, 'requests' | 'failed' | 'retries' | 'responses'>

/** The sums over all points. */
export function totalsOf(points: readonly Point[]): Totals {
  return points.reduce<Totals>(
    (all, one) => ({
      requests: all.requests + one.requests,
      failed: all.failed + one.failed,
      retries: all.retries + one.retries,
      responses: sumOf(all.responses, one.responses),
    }),
    { requests: 0, failed: 0, retries: 0, responses: noResponses },
  )
}
