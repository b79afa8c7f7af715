import { now } from '../../monotonic.ts'
import { AlarmClock } from '../alarm-clock.ts'
import type { Asked } from './asked.ts'
import type { Connections } from './connections.ts'

/** Requests of independent clients. */
export interface OpenLoop {
  /** One for each balancer; they take turns. */
  readonly targets: readonly Connections[]
  /** When each request is to be sent, ms after the beginning, in order. At least one. */
  readonly dues: readonly number[]
  /** What is asked for next. */
  path(): string
  /** ms that have passed already when it begins (0). */
  readonly late?: number
}

/**
 * Sends each request when it is due, whether or not earlier ones were answered. Latency counts from then, even if it is sent
 * late: a stall of the server, or of this process, is seen by all who would have come in it (no coordinated omission).
 */
export async function openLoop({ targets, dues, path, late = 0 }: OpenLoop): Promise<readonly Asked[]> {
  const clock = await AlarmClock.start(sendDue)
  const begun = now() - late
  const asked: Asked[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  let next = 0

  function sendDue(): void {
    for (const time = now() - begun; next < dues.length && dues[next]! <= time; next++)
      send(dues[next]!, targets[next % targets.length]!)
    if (next < dues.length) clock.set(begun + dues[next]!)
  }
  function send(at: number, target: Connections): void {
    target.ask(path(), (problem) => {
      asked.push({ at, took: now() - begun - at, problem })
      if (asked.length === dues.length) resolve()
    })
  }

  sendDue()
  await promise
  await clock.stop()
  return asked
}
