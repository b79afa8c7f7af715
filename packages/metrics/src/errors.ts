import createError from '@fastify/error'

/** Options that cannot be used; the message names every fault. Thrown at boot. */
export const BadOptionsError = createError<[string]>('FST_BALANCER_METRICS_BAD_OPTIONS', 'Bad metrics options: %s', 500)
