import type { RunFigures } from './run-figures.ts'

/** A place on an axis, 0 to 1, and what stands there. */
interface Mark {
  readonly at: number
  readonly label: string
}

/** The latencies of one policy. */
export interface ChartLine {
  readonly name: string
  /** Places on the axes, 0 to 1. */
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

/** Percentiles that are named, if the chart reaches so far. */
const named = [50, 90, 99, 99.9, 99.99] as const

/** From the median, by how many requests there are for one beyond: 10 for the 90th percentile, 100 for the 99th. */
const scale = (percent: number) => Math.log10(50 / (100 - percent))

/** Powers of ten and their 2- and 5-fold from below the least to above the most; powers alone if that is enough. */
function steps(least: number, most: number): readonly number[] {
  const [low, high] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))]
  const factors = high - low > 3 ? [1] : [1, 2, 5]
  const all = Array.from({ length: high - low + 1 }, (_, index) => low + index).flatMap((power) =>
    factors.map((factor) => Number((factor * 10 ** power).toPrecision(1))),
  )
  const from = all.findLastIndex((step) => step <= least)
  const to = all.findIndex((step) => step >= most)
  return all.slice(Math.max(0, from), to === -1 ? undefined : to + 1)
}

/** What a chart of these runs is made of. */
export function linesOf(runs: readonly RunFigures[]): {
  readonly lines: readonly ChartLine[]
  readonly across: readonly Mark[]
  readonly up: readonly Mark[]
} {
  // What took no time has no place on a logarithmic axis.
  const curves = runs.map(({ curve }) => curve.filter(({ latency }) => latency > 0))
  const latencies = curves.flat().map(({ latency }) => latency)
  const most = Math.max(...curves.flat().map(({ percent }) => percent), 90)
  const marks = latencies.length === 0 ? [1, 10] : steps(Math.min(...latencies), Math.max(...latencies))
  const [least, greatest] = [Math.log10(marks[0]!), Math.log10(marks.at(-1)!)]
  const place = (latency: number) => (greatest === least ? 0.5 : (Math.log10(latency) - least) / (greatest - least))
  return {
    lines: curves.map((curve, index) => ({
      name: runs[index]!.policy,
      points: curve.map(({ percent, latency }) => ({ x: scale(percent) / scale(most), y: place(latency) })),
    })),
    across: named
      .filter((percent) => percent <= most)
      .map((percent) => ({ at: scale(percent) / scale(most), label: `p${percent}` })),
    up: marks.map((mark) => ({ at: place(mark), label: String(mark) })),
  }
}
