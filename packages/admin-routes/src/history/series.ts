import { bucketCount, bucketOf, percentile } from './histogram.ts'
import { resolutions } from './resolutions.ts'

/** The columns that each series has; the status classes 1xx to 5xx follow `failed`. */
export const column = { ended: 0, failed: 1, firstClass: 2, p95: 7, inFlight: 8 } as const

/** Width of a series that has these columns only: a backend's. */
export const backendWidth = 9

/**
 * What was measured of a balancer or a backend: for each step of each resolution one row of 32-bit numbers. All memory is
 * taken at once, and none for a request.
 */
export class Series {
  readonly #width: number
  readonly #rows: readonly Uint32Array[]
  /** Durations of the steps that are being measured. */
  readonly #durations: readonly Uint32Array[]

  constructor(width = backendWidth) {
    this.#width = width
    this.#rows = resolutions.map(({ count }) => new Uint32Array(count * width))
    this.#durations = resolutions.map(() => new Uint32Array(bucketCount))
  }

  /** Bytes of all its numbers. */
  get bytes(): number {
    return [...this.#rows, ...this.#durations].reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  /**
   * Counts what has ended, in the row at the place of each resolution. `status` 0 is none, and one above 599 has no class;
   * `duration` in ms, below 0 if there is none.
   */
  count(places: readonly number[], failed: boolean, status: number, duration: number): void {
    const classed = status < 600 ? Math.trunc(status / 100) : 0
    const bucket = duration < 0 ? -1 : bucketOf(duration)
    for (let index = 0; index < places.length; index++) {
      const rows = this.#rows[index]!
      const base = places[index]! * this.#width
      rows[base]!++
      if (failed) rows[base + column.failed]!++
      if (classed > 0) rows[base + column.firstClass - 1 + classed]!++
      if (bucket !== -1) this.#durations[index]![bucket]!++
    }
  }

  /** Adds to one column in each resolution. */
  add(places: readonly number[], which: number, amount: number): void {
    for (let index = 0; index < places.length; index++)
      this.#rows[index]![places[index]! * this.#width + which]! += amount
  }

  /** Sets one column in the row of one resolution. */
  set(resolution: number, place: number, which: number, value: number): void {
    this.#rows[resolution]![place * this.#width + which] = value
  }

  /** One column of the row of one resolution. */
  at(resolution: number, place: number, which: number): number {
    return this.#rows[resolution]![place * this.#width + which]!
  }

  /** A percentile of the durations in the step that is being measured, in µs; 0 without any. */
  percentile(resolution: number, share: number): number {
    return percentile(this.#durations[resolution]!, share)
  }

  /** A step begins: its row and its durations are empty. */
  open(resolution: number, place: number): void {
    const begin = place * this.#width
    this.#rows[resolution]!.fill(0, begin, begin + this.#width)
    this.#durations[resolution]!.fill(0)
  }
}
