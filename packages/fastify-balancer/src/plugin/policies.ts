import { corePolicies, type NamedPolicies, type PolicyName } from '@fastify-balancer/balancer-core'
import { faultsOf, withDefaults } from '@fastify-balancer/option-schema'
import { policies as furtherPolicies } from '@fastify-balancer/policies'

/** Every policy that options can name. */
export const policies: NamedPolicies = { ...corePolicies, ...furtherPolicies }

/** Those that need no settings, so that the name alone is enough. */
export const policyNames = Object.entries(policies)
  .filter(([, { settings }]) => faultsOf(settings, withDefaults(settings, {})).length === 0)
  .map(([name]) => name as PolicyName)

/** Those that need settings. */
export const policiesWithSettings = Object.keys(policies).filter((name) => !policyNames.includes(name as PolicyName))
