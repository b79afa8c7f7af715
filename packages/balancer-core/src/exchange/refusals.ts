import type { FailureReason } from '../failure.ts'

/** Who is refused: an exchange. */
interface Refused {
  fail(reason: FailureReason, error: unknown): void
}

/** For how long refusals are written before backends and other clients have their turn (ms). */
const slice = 0.1

interface Refusal {
  readonly exchange: Refused
  readonly reason: FailureReason
}

let coming: Refusal[] = []
/** Those of an earlier turn, the next at the end. */
let due: Refusal[] = []
let isScheduled = false

function schedule(): void {
  if (isScheduled || due.length + coming.length === 0) return
  isScheduled = true
  setImmediate(refuseSome)
}

function refuseSome(): void {
  isScheduled = false
  if (due.length === 0) {
    due = coming.toReversed()
    coming = []
  }
  const until = performance.now() + slice
  do {
    const { exchange, reason } = due.pop()!
    exchange.fail(reason, undefined)
  } while (due.length > 0 && performance.now() < until)
  schedule()
}

/**
 * Refuses an exchange for which there is no room, when those that have room have been looked after. Clients that ask again
 * as soon as they are refused would otherwise keep a process so busy that the backends' places stay empty.
 */
export function refuse(exchange: Refused, reason: FailureReason): void {
  coming.push({ exchange, reason })
  schedule()
}
