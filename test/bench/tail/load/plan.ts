import type { Arrivals } from '../arrivals.ts'
import { drawing, seeded, type Distribution } from '../distributions.ts'
import type { Load } from '../scenarios.ts'

/** What to do in one run. The same plan is the same requests, whoever forwards them. */
export interface Plan {
  readonly ports: readonly number[]
  readonly load: Load
  readonly work: Distribution
  readonly arrivals: Arrivals
  /** At the beginning, which do not count. */
  readonly leadIn: number
  /** That count. */
  readonly seconds: number
  readonly seed: number
}

/** Paths that say how much work each request is, in thousandths of the mean. */
export function paths(work: Distribution, seed: number): () => string {
  const draw = drawing(work, seeded(seed))
  return () => `/${Math.round(draw() * 1000)}`
}
