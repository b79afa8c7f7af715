import { createError } from '@fastify/error'
import { withoutSecrets } from '@fastify-balancer/option-schema'

/** Options that cannot be used; the message names every fault. Thrown at boot. */
export const BadOptionsError = createError<[string]>(
  'FST_BALANCER_ADMIN_BAD_OPTIONS',
  'Bad admin routes options: %s',
  500,
)

/** Nobody guards the routes. Thrown at boot. */
export const UnguardedError = createError<[string]>(
  'FST_BALANCER_ADMIN_UNGUARDED',
  'Whoever can call the admin routes can point traffic anywhere: give `onRequest` or `preHandler` a hook that checks who asks (missing for: %s), or write `insecure: true`',
  500,
)

const BadRequest = createError<[string]>('FST_BALANCER_ADMIN_BAD_REQUEST', 'Bad request: %s', 400)

/** So many faults are told: a body may have one in every few bytes. */
const mostFaults = 100

/** The first faults, and how many there are more. */
export function toldFaults(faults: readonly string[]): readonly string[] {
  const more = faults.length - mostFaults
  return more > 0 ? [...faults.slice(0, mostFaults), `and ${more} more`] : faults
}

/** A request that cannot be done as it is; it names every fault, or the first 100. */
export class BadRequestError extends BadRequest {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    // The answer may be logged, so it must not contain what may be a password.
    const told = toldFaults(faults).map(withoutSecrets)
    super(told.join('; '))
    this.faults = told
  }
}

const UnknownBalancer = createError<[string]>('FST_BALANCER_ADMIN_UNKNOWN_BALANCER', "There is no balancer '%s'", 404)

/** A balancer that this server does not have. */
export class UnknownBalancerError extends UnknownBalancer {
  constructor(name: string) {
    super(withoutSecrets(name))
  }
}

const UnknownBackend = createError<[string]>('FST_BALANCER_UNKNOWN_BACKEND', "There is no backend '%s'", 404)

/** A backend id that is not in the set. The balancer's own error, for what it is not asked about. */
export class UnknownBackendError extends UnknownBackend {
  constructor(id: string) {
    super(withoutSecrets(id))
  }
}

/** A revision that is not, or no longer, among those that are kept. */
export const UnknownRevisionError = createError<[number, string]>(
  'FST_BALANCER_ADMIN_UNKNOWN_REVISION',
  'Revision %s is not kept, only: %s',
  404,
)

/** `If-Match` names another revision than the current one. The balancer's own error, where it does not look itself. */
export const StaleRevisionError = createError<[number, string]>(
  'FST_BALANCER_STALE_REVISION',
  'The set is at revision %s, not %s',
  412,
)

/** What is asked for takes a plugin that is not there for this balancer. */
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

/** A configuration that cannot be put in force; it names every fault, or the first 100. */
export class ReloadRefusedError extends ReloadRefused {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    const told = toldFaults(faults).map(withoutSecrets)
    super(told.join('; '))
    this.faults = told
  }
}

/** A body of another type. */
export const NotJsonError = createError<[]>(
  'FST_BALANCER_ADMIN_NOT_JSON',
  'A body must be JSON: send it with `content-type: application/json`',
  415,
)

/** A page of another origin wants to change something with the browser of somebody who may. */
export const CrossSiteError = createError<[string]>(
  'FST_BALANCER_ADMIN_CROSS_SITE',
  'Refused: a change must not come from %s',
  403,
)

/** Asked for by a name that nobody has listed: it may be a stranger's, made to mean this server. */
export const UnknownHostError = createError<[string]>(
  'FST_BALANCER_ADMIN_UNKNOWN_HOST',
  "Refused: %s is not known as a name of this server. Ask for localhost or an address, or add the name to the admin option 'hosts'",
  403,
)

/** There is no such route. */
export const UnknownRouteError = createError<[string, string]>(
  'FST_BALANCER_ADMIN_UNKNOWN_ROUTE',
  'There is no %s %s',
  404,
)
