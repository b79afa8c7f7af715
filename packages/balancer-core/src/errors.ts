import { createError, type FastifyError } from '@fastify/error'
import { withoutSecrets } from '@fastify-balancer/option-schema'
import { failures, type FailureReason } from './failure.ts'

/** An error that the app's error handler gets when an exchange fails; `reason` is the row of the failure table. */
export interface FailureError extends FastifyError {
  reason: FailureReason
}

type ErrorOptionsOf = { cause: unknown }

const constructors = new Map(
  Object.entries(failures).map(([reason, { status, message }]) => {
    const code = `FST_BALANCER_${reason.replaceAll('-', '_').toUpperCase()}`
    // No stack: the place in this package is of no use, and capturing it is most of what a refusal costs.
    const constructor = createError<[ErrorOptionsOf]>(code, message, status, Error, false)
    Object.defineProperty(constructor.prototype, 'stack', {
      value: `FastifyError [${code}]: ${message}`,
      writable: true,
    })
    return [reason, constructor]
  }),
)

/** Builds the coded error of a reason: `FST_BALANCER_` and the reason in capitals, with the table's status and message. */
export function failureError(reason: FailureReason, cause: unknown): FailureError {
  const error = new (constructors.get(reason)!)({ cause }) as FailureError
  error.reason = reason
  return error
}

/** Options that cannot be used; the message names every fault. Thrown at boot and by changes of the set. */
export const BadOptionsError = createError<[string]>('FST_BALANCER_BAD_OPTIONS', 'Bad balancer options: %s', 400)

/** A change based on an older revision of the list than the current one. */
export const StaleRevisionError = createError<[number, number]>(
  'FST_BALANCER_STALE_REVISION',
  'The set is at revision %s, not %s',
  412,
)

/** Backends that a check refused; the message names each, and why. */
export const RefusedBackendsError = createError<[string]>(
  'FST_BALANCER_REFUSED_BACKENDS',
  'Refused, nothing was changed: %s',
  409,
)

const UnknownBackend = createError<[string]>('FST_BALANCER_UNKNOWN_BACKEND', "There is no backend '%s'", 404)

const NobodyUsable = createError<[string]>(
  'FST_BALANCER_NOBODY_USABLE',
  'Refused, nothing was changed: no backend would be usable (%s); use `force` to do it anyway',
  409,
)

/**
 * A list without a usable backend, while the current one has some. `faults` says why for each backend, or for the first
 * ten of a long list.
 */
export class NobodyUsableError extends NobodyUsable {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(faults.join('; '))
    this.faults = faults
  }
}

/** A backend id that is not in the set. */
export class UnknownBackendError extends UnknownBackend {
  constructor(id: string) {
    super(withoutSecrets(id))
  }
}

/** A balancer name that this server does not have, or no name where there are several. */
export const UnknownBalancerError = createError<[string]>('FST_BALANCER_UNKNOWN_BALANCER', '%s', 500)
