import { policies } from '@fastify-balancer/policies'
import { Balancer, corePolicies, type NamedPolicies } from '@fastify-balancer/balancer-core'

/** Every policy of ours, by its name. */
export const ourPolicies: NamedPolicies = { ...corePolicies, ...policies }

function needsNoSettings(policy: string): boolean {
  try {
    void new Balancer({ backends: [], policy } as never, undefined, ourPolicies).close()
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'FST_BALANCER_BAD_OPTIONS') return false
    throw error
  }
}

/** Those that can be used by their names alone. */
export const usablePolicies: readonly string[] = Object.keys(ourPolicies).filter(needsNoSettings)
