import type { Backend } from '@fastify-balancer/balancer-core'

/** The weight of an average backend of the set; 1 for none. */
export function meanWeightOf(available: readonly Backend[]): number {
  let sum = 0
  for (const { effectiveWeight } of available) sum += effectiveWeight
  return sum === 0 ? 1 : sum / available.length
}
