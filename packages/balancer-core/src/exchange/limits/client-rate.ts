import type { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { Attempt } from '../../attempt/attempt.ts'
import type { FailureReason } from '../../failure.ts'
import { isHeldUp } from './progress-limit.ts'
import type { Outgoing } from '../../request/outgoing-request.ts'

/** How many bytes written to the client have been sent. */
export function delivered({ socket, writableLength }: ServerResponse): number {
  // An HTTP/2 connection carries other requests too.
  return socket instanceof Socket ? socket.bytesWritten - socket.writableLength : -writableLength
}

/** Whether the client has to move, and how many bytes it has moved. */
interface Turn {
  readonly of: 'sender' | 'reader' | 'nobody'
  readonly bytes: number
}

const nobody: Turn = { of: 'nobody', bytes: 0 }

/**
 * A client has to move only while it has bytes to read, or while it still owes part of a body of known length. Quiet
 * streams are never measured.
 */
function turnOf(attempt: Attempt, { body }: Outgoing, response: ServerResponse): Turn {
  if (attempt.status !== 0 && response.writableLength > 0) return { of: 'reader', bytes: delivered(response) }
  if (attempt.uploaded || response.req.headers['content-length'] === undefined) return nobody
  return !(body instanceof Readable) || isHeldUp(body) ? nobody : { of: 'sender', bytes: attempt.bytesSent }
}

/** Measures how fast a client moves while it has to. Checked now and then, and created at the first check. */
export class ClientRate {
  #turn: Turn = nobody
  #begun = 0

  /** The failure, if the client was too slow for the whole time in which it had to move. `now` is in ms. */
  check(
    attempt: Attempt,
    out: Outgoing,
    response: ServerResponse,
    { least, window }: RateLimit,
    now: number,
  ): FailureReason | undefined {
    const before = this.#turn
    const turn = turnOf(attempt, out, response)
    if (turn.of === before.of && now - this.#begun < window) return undefined
    const isSlow = turn.of === before.of && turn.bytes - before.bytes < least
    this.#turn = turn
    this.#begun = now
    if (!isSlow || turn.of === 'nobody') return undefined
    return turn.of === 'reader' ? 'client-stalled' : 'request-stalled'
  }
}

/** A rate: this many bytes in this many ms. */
export interface RateLimit {
  readonly least: number
  readonly window: number
}

/** Measuring period where no limit for an idle client applies (ms). */
const defaultWindow = 60_000

/** The limit for `minClientRate` (bytes/s), averaged over `idle` ms (0 = no such limit), so that bursts even out. */
export function rateLimit(minClientRate: number, idle: number): RateLimit {
  const window = idle === 0 ? defaultWindow : idle
  return { least: (minClientRate * window) / 1000, window }
}
