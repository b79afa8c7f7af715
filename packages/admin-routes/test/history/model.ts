import { resolutions, ranges, type Range } from '../../src/history/resolutions.ts'
import type { View } from './fakes.ts'

interface Ended {
  readonly at: number
  readonly failed: boolean
  readonly status: number
  /** In ms; undefined if there was none. */
  readonly duration: number | undefined
  readonly retries: number
  readonly refused: boolean
}

type Columns = Record<string, (number | null)[]>

function nearestRank(durations: readonly number[], share: number): number {
  return Float64Array.from(durations).sort()[Math.max(1, Math.ceil(share * durations.length)) - 1]!
}

/** Everything that has happened, kept as it was, and looked through at each question: slow, and plainly right. */
export class Model {
  /** The times at which this process ran, from and to. */
  readonly runs: [from: number, to: number][]
  readonly requests: Ended[] = []
  readonly attempts = new Map<string, Ended[]>()
  /** Each change of what is in flight: of the whole balancer by the name ''. */
  readonly loads: { readonly at: number; readonly of: string; readonly inFlight: number }[] = []

  constructor(begin: number) {
    this.runs = [[begin, begin]]
  }

  read(range: Range): Pick<View, 'times' | 'step'> & { totals: Columns; backends: Map<string, Columns> } {
    const now = this.runs.at(-1)![1]
    const { resolution, steps } = ranges[range]
    const { step } = resolutions[resolution]
    const last = Math.floor(now / step) * step
    const times = Array.from({ length: steps }, (_, index) => last - (steps - 1 - index) * step)
    const columns = (all: readonly Ended[], of: string) => this.#columns(all, of, times, step)
    const backends = [...this.attempts].map(([id, all]) => [id, columns(all, id)] as const)
    const hasAny = ({ ended, inFlight }: Columns) => [...ended!, ...inFlight!].some((value) => (value ?? 0) > 0)
    return {
      times,
      step,
      totals: columns(this.requests, ''),
      backends: new Map(backends.filter(([, one]) => hasAny(one))),
    }
  }

  #columns(all: readonly Ended[], of: string, times: readonly number[], step: number): Columns {
    const each = (read: (ended: readonly Ended[], begin: number) => number | null) =>
      times.map((begin) =>
        this.runs.some(([from, to]) => from < begin + step && to >= begin)
          ? read(
              all.filter(({ at }) => at >= begin && at < begin + step),
              begin,
            )
          : null,
      )
    const share = (part: number) =>
      each((ended) => {
        const durations = ended.flatMap(({ duration }) => duration ?? [])
        return durations.length === 0 ? null : nearestRank(durations, part)
      })
    const count = (which: (ended: Ended) => boolean) => each((ended) => ended.filter(which).length)
    const classed = (index: number) => count(({ status }) => Math.trunc(status / 100) === index)
    return {
      ended: each(({ length }) => length),
      failed: count(({ failed }) => failed),
      refused: count((one) => one.refused),
      retries: each((ended) => ended.reduce((sum, { retries }) => sum + retries, 0)),
      ...Object.fromEntries([1, 2, 3, 4, 5].map((index) => [`${index}xx`, classed(index)])),
      p50: share(0.5),
      p95: share(0.95),
      p99: share(0.99),
      inFlight: each(
        (_, begin) => this.loads.findLast((load) => load.of === of && load.at < begin + step)?.inFlight ?? 0,
      ),
    }
  }
}
