import type { NamedPolicies } from '@fastify-balancer/balancer-core'
import { c3 } from './load-aware/c3.ts'
import { leastTime } from './load-aware/least-time.ts'
import { peakEwma } from './load-aware/peak-ewma.ts'
import { prequal } from './load-aware/prequal.ts'

/** The policies of this package, by the names that `policy` takes. All else that lists them reads this. */
export const policies = {
  'peak-ewma': peakEwma,
  'least-time': leastTime,
  c3,
  prequal,
} as const satisfies NamedPolicies
