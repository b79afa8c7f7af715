import type { NamedPolicies } from '@fastify-balancer/balancer-core'
import { consistentPolicies } from './consistent/consistent-policies.ts'
import { peakEwma } from './load-aware/peak-ewma.ts'
import { sticky } from './sticky/sticky.ts'
import { canary } from './tiers/canary.ts'
import { tiers } from './tiers/tiers.ts'
import { zones } from './tiers/zones.ts'

/** The policies of this package, by the names that `policy` takes. All else that lists them reads this. */
export const policies = {
  'peak-ewma': peakEwma,
  sticky,
  ...consistentPolicies,
  tiers,
  zones,
  canary,
} as const satisfies NamedPolicies
