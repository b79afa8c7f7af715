import type { Blame, Outcome } from '../failure.ts'
import type { StatusName } from '../grpc/status-code.ts'

/** Its status as the backend is judged by it: see `AttemptRecord`. */
interface Attempted {
  readonly effectiveStatus: number
  readonly grpcStatus: StatusName | undefined
  readonly blame: Blame | undefined
}

interface Exchanged {
  /** The status that was sent to the client; 0 if none was. */
  readonly status: number
  readonly answeredBy: Attempted | undefined
  readonly outcome: Outcome | undefined
  readonly blame: Blame | undefined
}

/**
 * Has an attempt failed? With a status of 500 or above, or one of gRPC that means that, or by a failure that is the
 * backend's fault. With `exchangeFailed`, the one definition of "failed", for counters, the log, the API and metrics.
 */
export function attemptFailed({ effectiveStatus, blame }: Attempted): boolean {
  return effectiveStatus >= 500 || blame === 'backend'
}

/**
 * Has a request failed? The client got a status of 500 or above, or a broken transfer, and that was not its own doing: a
 * client that leaves has not failed, but one that was given a backend's 5xx has. So has one that the app consoles with
 * another status where no backend could answer.
 */
export function exchangeFailed({ status, answeredBy, outcome, blame }: Exchanged): boolean {
  if (blame === 'backend' || blame === 'proxy') return true
  // What this process itself answers to a faulty request may be 5xx, such as 505.
  if (blame === 'client' && answeredBy === undefined) return false
  const told = answeredBy?.grpcStatus === undefined ? status : answeredBy.effectiveStatus
  return outcome !== undefined && told >= 500
}
