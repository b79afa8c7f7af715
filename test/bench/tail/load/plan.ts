import type { Arrivals } from '../arrivals.ts'
import { drawing, seeded, type Distribution } from '../distributions.ts'
import type { Load } from '../scenarios.ts'

/** What to do in one run. The same plan is the same requests, to every balancer. */
export interface Plan {
  readonly ports: readonly number[]
  readonly load: Load
  /** 'none': it is done at once. */
  readonly work: Distribution | 'none'
  readonly arrivals: Arrivals
  /** At the beginning, which do not count. */
  readonly leadIn: number
  /** That count. */
  readonly seconds: number
  readonly seed: number
}

/** Seconds at the beginning of a run that do not count: queues fill, and policies learn. */
export const leadIn = 1.5

/** Seconds of requests that are no work, before the first run of each scenario: connections are opened, and code is compiled. */
export const warmUp = 1.5

/** ms until a client gives up. */
export const patience = 8000

/** Paths that say how much work each request is, in thousandths of the mean. */
export function paths(work: Plan['work'], seed: number): () => string {
  if (work === 'none') return () => '/0'
  const draw = drawing(work, seeded(seed))
  return () => `/${Math.round(draw() * 1000)}`
}
