import type { Backend } from '@fastify-balancer/balancer-core'

/** Backends laid end to end on a line, each as long as its weight: a point on it is one of them, drawn by weight. */
export class WeightLine {
  readonly #count: number
  /** Where each ends; undefined where all weights are the same, and division finds the index. */
  readonly #ends: Float64Array | undefined

  constructor(backends: readonly Backend[]) {
    this.#count = backends.length
    const [first] = backends
    if (backends.every(({ effectiveWeight }) => effectiveWeight === first!.effectiveWeight)) return
    const ends = (this.#ends = new Float64Array(backends.length))
    let end = 0
    for (const [index, { effectiveWeight }] of backends.entries()) ends[index] = end += effectiveWeight
  }

  /** The index at this part of the line, 0 ≤ draw < 1. O(1), or O(log n) where weights differ. */
  at(draw: number): number {
    const ends = this.#ends
    if (ends === undefined) return Math.floor(draw * this.#count)
    let low = 0
    let high = ends.length - 1
    const point = draw * ends[high]!
    while (low < high) {
      const middle = (low + high) >>> 1
      if (point < ends[middle]!) high = middle
      else low = middle + 1
    }
    return low
  }
}
