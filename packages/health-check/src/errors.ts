import { createError } from '@fastify/error'

/** Options that cannot be used; the message names every fault. Thrown at boot. */
export const BadOptionsError = createError<[string]>(
  'FST_BALANCER_HEALTH_BAD_OPTIONS',
  'Bad health check options: %s',
  500,
)

/** The backends of a balancer that has no health check. */
export const UncheckedBalancerError = createError<[string]>(
  'FST_BALANCER_HEALTH_NONE',
  "The balancer '%s' has no health check",
  500,
)

/** A probe was requested, but `type` is `none`. */
export const NoProbesError = createError<[]>(
  'FST_BALANCER_HEALTH_NO_PROBES',
  'Backends are not probed: type is none',
  409,
)
