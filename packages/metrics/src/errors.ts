import { createError } from '@fastify/error'

/** Invalid options; the message names every fault. Thrown at boot. */
export const BadOptionsError = createError<[string]>('FST_BALANCER_METRICS_BAD_OPTIONS', 'Bad metrics options: %s', 500)

/** The `Host` header names a host that the option `hosts` does not list. */
export const UnknownHostError = createError<[string]>(
  'FST_BALANCER_METRICS_UNKNOWN_HOST',
  "The host %s is not allowed: use localhost or an IP address, or add it to the metrics option 'hosts'",
  403,
)

const TooManyScrapes = createError<[number]>(
  'FST_BALANCER_METRICS_TOO_MANY_SCRAPES',
  'Too many scrapes at once (%d): retry later',
  503,
)

/** As many scrapes are running as allowed. */
export class TooManyScrapesError extends TooManyScrapes {
  readonly headers = { 'retry-after': '1' }
}

/** `tracing` is on, but `@opentelemetry/api` is not installed. Thrown at boot. */
export const NoOpenTelemetryError = createError<[{ cause: unknown }]>(
  'FST_BALANCER_METRICS_NO_OPENTELEMETRY',
  'The option `tracing` needs the package @opentelemetry/api: npm install @opentelemetry/api',
  500,
)

const StoreUnreachable = createError<[string, { cause: unknown }]>(
  'FST_BALANCER_METRICS_STORE_UNREACHABLE',
  'The metrics of the other instances are not known, since the store that all share cannot be reached: %s',
  503,
)

/** Where instances share what they know cannot be reached. Counters of one alone would look as if they had started again. */
export class StoreUnreachableError extends StoreUnreachable {
  readonly headers = { 'retry-after': '1' }
}
