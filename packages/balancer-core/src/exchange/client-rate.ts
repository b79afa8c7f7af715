import type { ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { Attempt } from '../attempt/attempt.ts'
import type { FailureReason } from '../failure.ts'
import { isHeldUp } from './progress-limit.ts'
import type { Outgoing } from '../request/outgoing-request.ts'

/** How much of what was written to the client has left for it. */
export function delivered({ socket, writableLength }: ServerResponse): number {
  // Over HTTP/2 the connection has others on it.
  return socket instanceof Socket ? socket.bytesWritten - socket.writableLength : -writableLength
}

/** Whose turn it is, and how much it has moved. */
interface Turn {
  readonly of: 'sender' | 'reader' | 'nobody'
  readonly bytes: number
}

const nobody: Turn = { of: 'nobody', bytes: 0 }

/**
 * A client has to move only while bytes wait for it to be read, or while it has named a length and owes the rest of it:
 * streams that are quiet are never measured.
 */
function turnOf(attempt: Attempt, { body }: Outgoing, response: ServerResponse): Turn {
  if (attempt.status !== 0 && response.writableLength > 0) return { of: 'reader', bytes: delivered(response) }
  if (attempt.uploaded || response.req.headers['content-length'] === undefined) return nobody
  return !(body instanceof Readable) || isHeldUp(body) ? nobody : { of: 'sender', bytes: attempt.bytesSent }
}

/** Measures how fast a client moves while it is its turn. It is asked now and then, and made only once it is asked. */
export class ClientRate {
  #turn: Turn = nobody
  #begun = 0

  /** Why it fails, if the client has moved too little all the while that it was its turn. `now` is in ms. */
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

/** So many bytes in so many ms. */
export interface RateLimit {
  readonly least: number
  readonly window: number
}

/** Over how long a rate is measured where nothing else limits how long a client may stand still (ms). */
const defaultWindow = 60_000

/** What `minClientRate` (bytes/s) comes to: bursts are evened out over as long as a client may stand still (ms; 0 = for ever). */
export function rateLimit(minClientRate: number, idle: number): RateLimit {
  const window = idle === 0 ? defaultWindow : idle
  return { least: (minClientRate * window) / 1000, window }
}
