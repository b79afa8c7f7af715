import { createError } from '@fastify/error'

/** Options that cannot be used; the message names every fault. Thrown at boot. */
export const BadOptionsError = createError<[string]>('FST_BALANCER_METRICS_BAD_OPTIONS', 'Bad metrics options: %s', 500)

/** Asked for by a name that the option `hosts` does not list. */
export const UnknownHostError = createError<[string]>(
  'FST_BALANCER_METRICS_UNKNOWN_HOST',
  "Refused: %s is not known as a name of this server. Ask for localhost or an address, or add the name to the option 'hosts'",
  403,
)

const TooManyScrapes = createError<[number]>(
  'FST_BALANCER_METRICS_TOO_MANY_SCRAPES',
  'There are %d scrapes already: ask again later',
  503,
)

/** There are as many scrapes under way as may be. */
export class TooManyScrapesError extends TooManyScrapes {
  readonly headers = { 'retry-after': '1' }
}

/** `tracing` is on, and `@opentelemetry/api` is not installed. Thrown at boot. */
export const NoOpenTelemetryError = createError<[{ cause: unknown }]>(
  'FST_BALANCER_METRICS_NO_OPENTELEMETRY',
  'The option tracing needs the package @opentelemetry/api, which is not installed',
  500,
)
