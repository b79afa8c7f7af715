import type { Backend } from '../../backends/backend.ts'

/** Do all have the same weight? Then the cheaper unweighted choice is the same. */
export function weightsAreEqual(backends: readonly Backend[]): boolean {
  return backends.every(({ effectiveWeight }) => effectiveWeight === backends[0]!.effectiveWeight)
}

/** Backends laid end to end on a line, each as long as its weight; a point on the line picks one. */
export class WeightLine {
  readonly #ends: number[] = []
  /** All have the same weight: then a division finds the index. */
  readonly isEven: boolean
  readonly total: number

  constructor(backends: readonly Backend[]) {
    this.isEven = weightsAreEqual(backends)
    let end = 0
    for (const { effectiveWeight } of backends) this.#ends.push((end += effectiveWeight))
    this.total = end
  }

  /** Where the backend at `index` begins. */
  start(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1]!
  }

  /** The index at this part of the line, 0 ≤ draw < 1. O(1); O(log n) where weights differ. */
  drawn(draw: number): number {
    return this.isEven ? Math.floor(draw * this.#ends.length) : this.at(draw * this.total)
  }

  /** The index of the backend under `point`, 0 ≤ point < total. O(log n). */
  at(point: number): number {
    let low = 0
    let high = this.#ends.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (point < this.#ends[middle]!) high = middle
      else low = middle + 1
    }
    return low
  }
}
