import type { NamedPolicies } from '@fastify-balancer/balancer-core'
import { c3 } from './c3.ts'
import { leastTime } from './least-time.ts'
import { peakEwma } from './peak-ewma.ts'
import { prequal } from './prequal.ts'

/** The load-aware policies, by name. */
export const loadAwarePolicies = {
  'peak-ewma': peakEwma,
  'least-time': leastTime,
  c3,
  prequal,
} as const satisfies NamedPolicies
