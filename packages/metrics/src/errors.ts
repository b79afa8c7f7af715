import createError from '@fastify/error'

/** Options that cannot be used; the message names every fault. Thrown at boot. */
export const BadOptionsError = createError<[string]>('FST_BALANCER_METRICS_BAD_OPTIONS', 'Bad metrics options: %s', 500)

/** `tracing` is on, and `@opentelemetry/api` is not installed. Thrown at boot. */
export const NoOpenTelemetryError = createError<[{ cause: unknown }]>(
  'FST_BALANCER_METRICS_NO_OPENTELEMETRY',
  'The option tracing needs the package @opentelemetry/api, which is not installed',
  500,
)
