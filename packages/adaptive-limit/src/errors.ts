import { createError } from '@fastify/error'

/** Options that cannot be used; the message names every fault. Thrown at boot. */
export const BadOptionsError = createError<[string]>(
  'FST_BALANCER_LIMIT_BAD_OPTIONS',
  'Bad options of adaptive limits: %s',
  500,
)

/** A balancer without adaptive limits. */
export const NoLimitsError = createError<[string]>(
  'FST_BALANCER_LIMIT_NONE',
  "The balancer '%s' has no adaptive limits",
  500,
)
