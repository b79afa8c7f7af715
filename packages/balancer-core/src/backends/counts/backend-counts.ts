// Room `backends/counts`: what a backend has done so far.
import { Reachable } from '../../connections/reachable.ts'
import type { Outcome } from '../../failure.ts'
import { Latency } from './latency.ts'
import { noStatuses, type StatusCounts } from './status-counts.ts'

/** A server, and what it has done since it was added. */
export class BackendCounts extends Reachable {
  /** Attempts started so far. */
  requests = 0
  /** Of those, attempts that followed another one of the same request, without hedges. */
  retries = 0
  /** Ended attempts, by outcome. */
  readonly outcomes: Partial<Record<Outcome, number>> = {}
  /** Of the ended attempts, those that have failed: see `attemptFailed`. */
  failed = 0
  /** Responses whose headers have arrived, by status class. */
  readonly responses: StatusCounts = noStatuses()
  /** Bytes sent to it and received from it, of bodies and tunnels. */
  bytesSent = 0
  bytesReceived = 0
  /** Of those, bytes of tunnels. */
  tunnelBytesSent = 0
  tunnelBytesReceived = 0
  readonly latency = new Latency()
}
