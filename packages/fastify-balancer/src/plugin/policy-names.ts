import type { PolicyName } from '@fastify-balancer/balancer-core'

// Keys of an object, so that the compiler finds a missing one.
/** The policies that can be chosen by name. */
export const policyNames = Object.keys({
  'round-robin': true,
  weighted: true,
  random: true,
  p2c: true,
  'least-requests': true,
} satisfies Record<PolicyName, true>) as PolicyName[]
