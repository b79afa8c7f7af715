import { createError } from '@fastify/error'

/** Invalid options; the message names every fault. Thrown at boot. */
export const BadOptionsError = createError<[string]>(
  'FST_BALANCER_DASHBOARD_BAD_OPTIONS',
  'Bad dashboard options: %s',
  500,
)

/** No hook guards the page. Thrown at boot. */
export const UnguardedError = createError(
  'FST_BALANCER_DASHBOARD_UNGUARDED',
  'The dashboard needs authentication: add an `onRequest` hook that checks credentials, or set `insecure: true`',
  500,
)

/** The page has not been built. Thrown at boot. */
export const NotBuiltError = createError<[string]>(
  'FST_BALANCER_DASHBOARD_NOT_BUILT',
  'The dashboard is not built (%s is missing): run `pnpm --filter @fastify-balancer/dashboard build`',
  500,
)

/** The option `admin` is not the prefix of admin routes. Thrown at boot. */
export const NoAdminRoutesError = createError<[string]>(
  'FST_BALANCER_DASHBOARD_NO_ADMIN_ROUTES',
  'There are no admin routes at %s: set the option `admin` to their `prefix`',
  500,
)

/** The `Host` header names a host that is not listed: it may be an attacker's, pointed at this server (DNS rebinding). */
export const UnknownHostError = createError<[string]>(
  'FST_BALANCER_DASHBOARD_UNKNOWN_HOST',
  "The host %s is not allowed: use localhost or an IP address, or add it to the dashboard option 'hosts'",
  403,
)

/** No such page. */
export const UnknownPageError = createError<[string, string]>(
  'FST_BALANCER_DASHBOARD_UNKNOWN_PAGE',
  'There is no %s %s',
  404,
)
