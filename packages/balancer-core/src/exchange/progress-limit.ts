import { Readable } from 'node:stream'
import type { Attempt } from '../attempt/attempt.ts'
import type { TimeoutOptions } from '../backends/pool-options.ts'
import type { FailureReason } from '../failure.ts'
import type { RemoteCall } from '../grpc/remote-call.ts'
import type { Outgoing } from '../request/outgoing-request.ts'

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
 * sent.
 */
export function progressLimit(
  { started, status, uploaded }: Attempt,
  { body }: Outgoing,
  isPaused: boolean,
  { connect, headers, idle }: TimeoutOptions,
): ProgressLimit {
  if (!started) return { limit: connect, reason: 'connect-timeout' }
  if (isPaused) return { limit: idle, reason: 'client-stalled' }
  if (!uploaded) {
    return { limit: idle, reason: isHeldUp(body) ? 'upload-timeout' : 'request-stalled' }
  }
  return status === 0 ? { limit: headers, reason: 'headers-timeout' } : { limit: idle, reason: 'body-timeout' }
}

/**
 * The same for a call that may stream, where both sides may be quiet for long, even before the response headers: nobody
 * has to move next. With a deadline, the client has said how long it waits.
 */
export function callLimit(
  { started }: Attempt,
  { deadline }: RemoteCall,
  isPaused: boolean,
  { connect, idle, stream }: TimeoutOptions,
): ProgressLimit {
  if (!started) return { limit: connect, reason: 'connect-timeout' }
  if (isPaused) return { limit: idle, reason: 'client-stalled' }
  return { limit: deadline === undefined ? stream : 0, reason: 'stream-timeout' }
}
