import { createError } from '@fastify/error'

/** Options that cannot be used; the message names every fault. Thrown at boot. */
export const BadOptionsError = createError<[string]>(
  'FST_BALANCER_CIRCUIT_BAD_OPTIONS',
  'Bad circuit breaker options: %s',
  500,
)

/** A backend that has no circuit, because the option `backends` says so. */
export const NoCircuitError = createError<[string]>(
  'FST_BALANCER_CIRCUIT_NO_CIRCUIT',
  "The backend '%s' has no circuit",
  404,
)

/** A balancer that has no circuit breaker. */
export const NoBreakerError = createError<[string]>(
  'FST_BALANCER_CIRCUIT_NONE',
  "The balancer '%s' has no circuit breaker",
  500,
)
