import type { LatencyOptions } from './outlier-options.ts'

/** The limit for a p90. */
export interface LatencyLimit {
  /** The median of the peers' p90, in ms. */
  readonly median: number
  /** A p90 above this is an outlier (ms). */
  readonly limit: number
}

/** Where a number stands in what is sorted; -1 if it does not. */
function placeIn(sorted: readonly number[], one: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < one) low = middle + 1
    else high = middle
  }
  return sorted[low] === one ? low : -1
}

/** The median of what is sorted, without one occurrence of `left`; undefined if nothing remains. */
function medianWithout(sorted: readonly number[], left: number | undefined): number | undefined {
  const gap = left === undefined ? -1 : placeIn(sorted, left)
  const count = gap === -1 ? sorted.length : sorted.length - 1
  if (count === 0) return undefined
  const at = (rank: number) => sorted[gap !== -1 && rank >= gap ? rank + 1 : rank]!
  const middle = count >> 1
  return count % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2
}

/**
 * The limit for the p90 of a backend: `factor` times the median p90 of its peers, and at least `atLeast` ms above it.
 * The median excludes the backend itself, so that it cannot hide behind its own slowness. `sorted` are the p90s of all
 * that have enough volume, in rising order; `own` is among them, or undefined if the backend has too little volume.
 * Undefined when there are fewer than `minimumBackends`, the backend counted in.
 */
export function latencyLimit(
  sorted: readonly number[],
  own: number | undefined,
  { factor, atLeast, minimumBackends }: LatencyOptions,
): LatencyLimit | undefined {
  const backends = own === undefined ? sorted.length + 1 : sorted.length
  const median = backends < minimumBackends ? undefined : medianWithout(sorted, own)
  return median === undefined ? undefined : { median, limit: Math.max(factor * median, median + atLeast) }
}
