import type { ResponseColumns } from '../schemas/past-views.ts'
import { statusClasses } from '../schemas/status-classes.ts'
import { ranges, type Range } from './resolutions.ts'
import { column, type Series } from './series.ts'
import type { Steps } from './steps.ts'

/** A value for each step; null where nothing was measured. */
export type Column = (number | null)[]

/** The steps of a range of time up to now, and what was measured in them. The last one is unfinished. */
export class Window {
  /** The index of its resolution. */
  readonly resolution: number
  /** Begin of each step, in ms since the epoch, the oldest first. */
  readonly times: readonly number[]
  readonly #steps: Steps
  readonly #numbers: readonly number[]

  constructor(range: Range, resolutions: readonly Steps[]) {
    const { resolution, steps: count } = ranges[range]
    const steps = resolutions[resolution]!
    this.resolution = resolution
    this.#steps = steps
    this.#numbers = Array.from({ length: count }, (_, index) => steps.current - count + 1 + index)
    this.times = this.#numbers.map((number) => number * steps.length)
  }

  /** Length of a step, in ms. */
  get step(): number {
    return this.#steps.length
  }

  /** `now` is the value of the unfinished step, where its row does not have it yet. */
  column(series: Series, which: number, now?: number): Column {
    // What is read later may have been overwritten or finished meanwhile.
    const values = this.#numbers.map((number) => {
      const place = this.#steps.placeOf(number)
      return place === undefined ? null : series.at(this.resolution, place, which)
    })
    if (now !== undefined && this.#steps.current === this.#numbers.at(-1)) values[values.length - 1] = now
    return values
  }

  /** A column of percentiles in ms; null where nothing was counted. */
  percentiles(series: Series, which: number, share: number): Column {
    const values = this.column(series, which, series.percentile(this.resolution, share))
    return values.map((value) => (value === null || value === 0 ? null : value / 1000))
  }

  responses(series: Series): ResponseColumns {
    const columns = statusClasses.map((one, index) => [one, this.column(series, column.firstClass + index)] as const)
    return Object.fromEntries(columns) as ResponseColumns
  }

  /** Was there any traffic in it? */
  has(series: Series): boolean {
    return this.#numbers.some((number) => {
      const place = this.#steps.placeOf(number)
      if (place === undefined) return false
      return (
        series.at(this.resolution, place, column.ended) > 0 || series.at(this.resolution, place, column.inFlight) > 0
      )
    })
  }
}
