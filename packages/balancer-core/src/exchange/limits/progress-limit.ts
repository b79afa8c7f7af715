import { Readable } from 'node:stream'
import type { Attempt } from '../../attempt/attempt.ts'
import type { TimeoutOptions } from '../../backends/pool-options.ts'
import type { FailureReason } from '../../failure.ts'
import type { RemoteCall } from '../../grpc/remote-call.ts'
import type { Outgoing } from '../../request/outgoing-request.ts'

/** How long an attempt may go without progress, in ms (0 = no limit), and the failure after that. */
export interface ProgressLimit {
  readonly limit: number
  readonly reason: FailureReason
}

/** True while the backend reads no more of the body: undici pauses the body then. */
export function isHeldUp(body: Outgoing['body']): boolean {
  return body instanceof Readable && body.isPaused()
}

/**
 * The limit applies to the side that has to move next. `isPaused`: the client has not read all that the backend has
 * sent. In a call that may stream, nobody has to move next: both sides may be quiet for long, even before the response
 * headers. With a deadline, its client has said how long it waits.
 */
export function progressLimit(
  { started, status, uploaded }: Attempt,
  { body }: Pick<Outgoing, 'body'>,
  call: RemoteCall | undefined,
  isPaused: boolean,
  { connect, headers, idle, stream }: TimeoutOptions,
): ProgressLimit {
  if (!started) return { limit: connect, reason: 'connect-timeout' }
  if (isPaused) return { limit: idle, reason: 'client-stalled' }
  if (call?.mayStream === true) return { limit: call.deadline === undefined ? stream : 0, reason: 'stream-timeout' }
  if (!uploaded) {
    return { limit: idle, reason: isHeldUp(body) ? 'upload-timeout' : 'request-stalled' }
  }
  return status === 0 ? { limit: headers, reason: 'headers-timeout' } : { limit: idle, reason: 'body-timeout' }
}
