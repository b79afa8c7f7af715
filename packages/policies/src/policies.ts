import type { NamedPolicies } from '@fastify-balancer/balancer-core'
import { peakEwma } from './load-aware/peak-ewma.ts'
import { tiers } from './tiers/tiers.ts'
import { zones } from './tiers/zones.ts'

/** The policies of this package, by the names that `policy` takes. All else that lists them reads this. */
export const policies = {
  'peak-ewma': peakEwma,
  tiers,
  zones,
} as const satisfies NamedPolicies
