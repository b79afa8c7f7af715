import { createError } from '@fastify/error'
import { withoutSecrets } from '@fastify-balancer/option-schema'

/** Invalid options; the message names every fault. Thrown at boot. */
export const BadOptionsError = createError<[string]>(
  'FST_BALANCER_ADMIN_BAD_OPTIONS',
  'Bad admin routes options: %s',
  500,
)

/** No hook guards the routes. Thrown at boot. */
export const UnguardedError = createError<[string]>(
  'FST_BALANCER_ADMIN_UNGUARDED',
  'Admin routes need authentication, since they can point traffic anywhere: add an `onRequest` or `preHandler` hook that checks credentials (missing for: %s), or set `insecure: true`',
  500,
)

const BadRequest = createError<[string]>('FST_BALANCER_ADMIN_BAD_REQUEST', 'Bad request: %s', 400)

/** At most this many faults are listed: a body can have one every few bytes. */
const mostFaults = 100

/** The first 100 faults, and how many more there are. */
export function toldFaults(faults: readonly string[]): readonly string[] {
  const more = faults.length - mostFaults
  return more > 0 ? [...faults.slice(0, mostFaults), `and ${more} more`] : faults
}

/** An invalid request; names every fault, at most 100. */
export class BadRequestError extends BadRequest {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    // Responses may be logged, so they must not contain passwords.
    const told = toldFaults(faults).map(withoutSecrets)
    super(told.join('; '))
    this.faults = told
  }
}

const UnknownBalancer = createError<[string]>('FST_BALANCER_ADMIN_UNKNOWN_BALANCER', "There is no balancer '%s'", 404)

/** No balancer has this name. */
export class UnknownBalancerError extends UnknownBalancer {
  constructor(name: string) {
    super(withoutSecrets(name))
  }
}

const UnknownBackend = createError<[string]>('FST_BALANCER_UNKNOWN_BACKEND', "There is no backend '%s'", 404)

/** No backend of this balancer has this id. Same code as the core's own error. */
export class UnknownBackendError extends UnknownBackend {
  constructor(id: string) {
    super(withoutSecrets(id))
  }
}

const UnknownTunnel = createError<[string]>('FST_BALANCER_ADMIN_UNKNOWN_TUNNEL', "There is no open tunnel '%s'", 404)

/** No open tunnel of this balancer has this id. */
export class UnknownTunnelError extends UnknownTunnel {
  constructor(id: string) {
    super(withoutSecrets(id))
  }
}

/** A revision that is not, or no longer, kept. */
export const UnknownRevisionError = createError<[number, string]>(
  'FST_BALANCER_ADMIN_UNKNOWN_REVISION',
  'Revision %s is not available for rollback; kept revisions: %s',
  404,
)

/** `If-Match` names another revision than the current one. Same code as the core's own error. */
export const StaleRevisionError = createError<[number, string]>(
  'FST_BALANCER_STALE_REVISION',
  'The set is at revision %s, not %s',
  412,
)

/** The request needs a plugin that this balancer does not have. */
export const MissingPluginError = createError<[string, string]>(
  'FST_BALANCER_ADMIN_MISSING_PLUGIN',
  "The balancer '%s' has no %s",
  409,
)

const ReloadRefused = createError<[string]>(
  'FST_BALANCER_ADMIN_RELOAD_REFUSED',
  'The configuration was not reloaded, and nothing was changed: %s',
  409,
)

/** The new configuration cannot be applied; names every fault, at most 100. */
export class ReloadRefusedError extends ReloadRefused {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    const told = toldFaults(faults).map(withoutSecrets)
    super(told.join('; '))
    this.faults = told
  }
}

/** There is nobody who could restart this process. */
export const NoRestartError = createError<[]>(
  'FST_BALANCER_ADMIN_NO_RESTART',
  'This server cannot restart itself: it is one process. Start it with `workers: 2` or more, or --workers 2',
  409,
)

const RestartRefused = createError<[string]>(
  'FST_BALANCER_ADMIN_RESTART_REFUSED',
  'The workers were not restarted: %s',
  409,
)

/** The workers could not be replaced; names every fault, at most 100. */
export class RestartRefusedError extends RestartRefused {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    const told = toldFaults(faults).map(withoutSecrets)
    super(told.join('; '))
    this.faults = told
  }
}

/** The body is not JSON. */
export const NotJsonError = createError<[]>(
  'FST_BALANCER_ADMIN_NOT_JSON',
  'The body must be JSON: send `content-type: application/json`',
  415,
)

/** A web page of another origin tried to change something through an operator's browser. */
export const CrossSiteError = createError<[string]>(
  'FST_BALANCER_ADMIN_CROSS_SITE',
  "Changes by pages of other origins are refused (%s): if the origin is yours, add it to the admin option 'origins'",
  403,
)

/** The `Host` header names a host that is not listed: it may be an attacker's, pointed at this server (DNS rebinding). */
export const UnknownHostError = createError<[string]>(
  'FST_BALANCER_ADMIN_UNKNOWN_HOST',
  "The host %s is not allowed: use localhost or an IP address, or add it to the admin option 'hosts'",
  403,
)

/** No such route. */
export const UnknownRouteError = createError<[string, string]>(
  'FST_BALANCER_ADMIN_UNKNOWN_ROUTE',
  'There is no %s %s',
  404,
)
