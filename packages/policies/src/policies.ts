import type { NamedPolicies } from '@fastify-balancer/balancer-core'
import { peakEwma } from './load-aware/peak-ewma.ts'

/** The policies of this package, by the names that `policy` takes. All else that lists them reads this. */
export const policies = {
  'peak-ewma': peakEwma,
} as const satisfies NamedPolicies
