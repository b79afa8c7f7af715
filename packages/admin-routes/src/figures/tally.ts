import { bucketOf } from '../history/histogram.ts'
import { statusClasses, type ResponseCounts } from '../schemas/status-classes.ts'
import type { FiguresEvent } from './figures-event.ts'

const noResponses = (): ResponseCounts => ({ '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 })

/** The percentile by nearest rank; `share` from 0 to 1. */
function rank(sorted: Float64Array, share: number): number {
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
  return Math.round(value * 1000) / 1000
}

/** What was counted in a period. */
type Counted = Pick<FiguresEvent, 'requests' | 'failed' | 'responses'>

/** The same with durations that add up over instances: how many in which bucket. */
export type Summands = Counted & { readonly durations: Readonly<Record<number, number>> }

/** Counts ended requests and failures, and collects durations, between two readings. */
export class Tally {
  #requests = 0
  #failed = 0
  #responses = noResponses()
  #durations: number[] = []

  /** `status` 0 is none. `duration` in ms; undefined if there was none, e.g. no response. */
  add(failed: boolean, status: number, duration: number | undefined): void {
    const classed = statusClasses[Math.trunc(status / 100) - 1]
    this.#requests++
    if (classed !== undefined) this.#responses[classed]++
    if (failed) this.#failed++
    if (duration !== undefined) this.#durations.push(duration)
  }

  /** Returns the figures and starts again at zero. */
  take(): Counted & Pick<FiguresEvent, 'latency'> {
    // One second holds few durations, so exact percentiles cost less than histogram buckets.
    const sorted = Float64Array.from(this.#durations).sort()
    const latency =
      sorted.length === 0 ? null : { p50: rank(sorted, 0.5), p95: rank(sorted, 0.95), p99: rank(sorted, 0.99) }
    return { ...this.#restart(), latency }
  }

  /** The same, to be added to those of other instances. */
  takeSummands(): Summands {
    const durations: Record<number, number> = {}
    for (const duration of this.#durations) {
      const bucket = bucketOf(duration)
      durations[bucket] = (durations[bucket] ?? 0) + 1
    }
    return { ...this.#restart(), durations }
  }

  #restart(): Counted {
    const counted = { requests: this.#requests, failed: this.#failed, responses: this.#responses }
    this.#requests = 0
    this.#failed = 0
    this.#responses = noResponses()
    this.#durations = []
    return counted
  }
}
