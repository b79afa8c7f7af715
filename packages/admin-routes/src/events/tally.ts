import type { FiguresEvent } from './figures-event.ts'

/** The value that so much of the sorted ones does not exceed: the nearest rank. */
function rank(sorted: Float64Array, share: number): number {
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
  return Math.round(value * 1000) / 1000
}

/** What has ended since it was last read: how many, how many of them badly, and how long they took. */
export class Tally {
  #requests = 0
  #failed = 0
  #durations: number[] = []

  /** `duration` in ms; undefined when there is nothing to measure. */
  add(failed: boolean, duration: number | undefined): void {
    this.#requests++
    if (failed) this.#failed++
    if (duration !== undefined) this.#durations.push(duration)
  }

  /** Reads it, and begins anew. */
  take(): Pick<FiguresEvent, 'requests' | 'failed' | 'latency'> {
    // One second of durations is little: exact ranks cost less than buckets that are nearly exact.
    const sorted = Float64Array.from(this.#durations).sort()
    const latency =
      sorted.length === 0 ? null : { p50: rank(sorted, 0.5), p95: rank(sorted, 0.95), p99: rank(sorted, 0.99) }
    const taken = { requests: this.#requests, failed: this.#failed, latency }
    this.#requests = 0
    this.#failed = 0
    this.#durations = []
    return taken
  }
}
