// Room `picking/policies`: the policies that options can name, one file each.
import type { Policy } from '../policy.ts'
import { leastRequests } from './least-requests.ts'
import { p2c } from './p2c.ts'
import { random } from './random.ts'
import { roundRobin } from './round-robin.ts'
import { weighted } from './weighted.ts'

/** The policies that options can name. `random` returns 0 ≤ x < 1. */
export const policies = {
  'round-robin': roundRobin,
  weighted,
  random,
  p2c,
  'least-requests': leastRequests,
} as const satisfies Record<string, (random: () => number) => Policy>

/** The name of a built-in policy. */
export type PolicyName = keyof typeof policies
