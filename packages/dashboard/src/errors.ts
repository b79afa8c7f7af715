import { createError } from '@fastify/error'

/** Options that cannot be used; the message names every fault. Thrown at boot. */
export const BadOptionsError = createError<[string]>(
  'FST_BALANCER_DASHBOARD_BAD_OPTIONS',
  'Bad dashboard options: %s',
  500,
)

/** Nobody guards the page. Thrown at boot. */
export const UnguardedError = createError(
  'FST_BALANCER_DASHBOARD_UNGUARDED',
  'The page tells how a site is built: give `onRequest` a hook that checks who asks, or write `insecure: true`',
  500,
)

/** There is no page to serve. Thrown at boot. */
export const NotBuiltError = createError<[string]>(
  'FST_BALANCER_DASHBOARD_NOT_BUILT',
  'The page is not built (there is no %s): run `pnpm --filter @fastify-balancer/dashboard build`',
  500,
)

/** The page would ask where no admin routes are. Thrown at boot. */
export const NoAdminRoutesError = createError<[string]>(
  'FST_BALANCER_DASHBOARD_NO_ADMIN_ROUTES',
  'There are no admin routes at %s: give `admin` the prefix that they have',
  500,
)

/** Asked for by a name that nobody has listed: it may be a stranger's, made to mean this server. */
export const UnknownHostError = createError<[string]>(
  'FST_BALANCER_DASHBOARD_UNKNOWN_HOST',
  "Refused: %s is not known as a name of this server. Ask for localhost or an address, or add the name to the option 'hosts'",
  403,
)

/** There is no such page. */
export const UnknownPageError = createError<[string, string]>(
  'FST_BALANCER_DASHBOARD_UNKNOWN_PAGE',
  'There is no %s %s',
  404,
)
