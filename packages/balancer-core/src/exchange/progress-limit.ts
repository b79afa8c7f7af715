import { Readable } from 'node:stream'
import type { Attempt } from '../attempt/attempt.ts'
import type { TimeoutOptions } from '../backends/pool-options.ts'
import type { FailureReason } from '../failure.ts'
import type { Outgoing } from '../request/outgoing-request.ts'

/** How long an attempt may go without progress, in ms (0 = for ever), and why it fails after that. */
export interface ProgressLimit {
  readonly limit: number
  readonly reason: FailureReason
}

/** Whoever has to move now has the limit: `isPaused` says that the client has not read what the backend has sent. */
export function progressLimit(
  { started, status, uploaded }: Attempt,
  { body }: Outgoing,
  isPaused: boolean,
  { connect, headers, idle }: TimeoutOptions,
): ProgressLimit {
  if (!started) return { limit: connect, reason: 'connect-timeout' }
  if (isPaused) return { limit: idle, reason: 'client-stalled' }
  if (!uploaded) {
    // undici pauses the body while the backend's socket takes no more.
    const isHeldUp = body instanceof Readable && body.isPaused()
    return { limit: idle, reason: isHeldUp ? 'upload-timeout' : 'client-stalled' }
  }
  return status === 0 ? { limit: headers, reason: 'headers-timeout' } : { limit: idle, reason: 'body-timeout' }
}
