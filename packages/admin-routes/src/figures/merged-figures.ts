import { bucketCount, percentile } from '../history/histogram.ts'
import { summed } from '../instances/merging/sums.ts'
import type { FiguresEvent } from './figures-event.ts'
import type { Summands } from './tally.ts'

/** What one instance has measured of one balancer, to be added to what others have. */
export type FigureSummands = Omit<
  FiguresEvent,
  'latency' | 'backends' | 'process' | 'requests' | 'failed' | 'responses'
> &
  Summands & {
    readonly backends: readonly (Omit<FiguresEvent['backends'][number], 'latency'> & Summands)[]
  }

/** Off by at most 4.4 %. */
function latencyOf(durations: Summands['durations']): FiguresEvent['latency'] {
  const counts = new Uint32Array(bucketCount)
  for (const [bucket, count] of Object.entries(durations)) counts[Number(bucket)] = count
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(counts, share) / 1000) as [number, number, number]
  return p50 === 0 ? null : { p50, p95, p99 }
}

function shown<Figures extends Summands>({ durations, ...figures }: Figures) {
  return { ...figures, latency: latencyOf(durations) }
}

const withoutId = ({ id: _id, ...counts }: FigureSummands['backends'][number]) => counts

/** The figures of all instances; the first ones say when, and which backends there are. */
export function mergedFigures(all: readonly FigureSummands[]): Omit<FiguresEvent, 'process'> {
  const [own] = all
  const { type, balancer, at, seconds, backends } = own!
  const byId = Map.groupBy(
    all.flatMap((one) => one.backends),
    ({ id }) => id,
  )
  const sums = summed(all.map(({ type: _t, balancer: _b, at: _a, seconds: _s, backends: _l, ...counts }) => counts))
  return {
    type,
    balancer,
    at,
    seconds,
    ...shown(sums),
    backends: backends.map(({ id }) => Object.assign({ id }, shown(summed(byId.get(id)!.map(withoutId))))),
  }
}
