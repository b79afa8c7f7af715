import type { NamedPolicy } from '@fastify-balancer/balancer-core'
import { consistentPolicies } from './consistent/consistent-policies.ts'
import { loadAwarePolicies } from './load-aware/load-aware-policies.ts'
import { sticky } from './sticky/sticky.ts'
import { canary } from './tiers/canary.ts'
import { tiers } from './tiers/tiers.ts'
import { zones } from './tiers/zones.ts'

const named = {
  ...loadAwarePolicies,
  sticky,
  ...consistentPolicies,
  tiers,
  zones,
  canary,
} satisfies Record<string, NamedPolicy>

/** The policies of this package, by the names that `policy` takes. All else that lists them reads this. */
export const policies: Readonly<Record<keyof typeof named, NamedPolicy>> = named
