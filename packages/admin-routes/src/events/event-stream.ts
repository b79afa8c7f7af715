import type { ServerResponse } from 'node:http'
import { isGone } from '../waiting/gone.ts'
import type { EventFilter } from './event-filter.ts'
import type { EventLog } from './event-log.ts'

/**
 * One client. It reads the log at its own pace, so that little is queued for it; when what it has not read is gone from
 * the log, or it takes nothing from one heartbeat to the next, it is cut, and may come back.
 */
export class EventStream {
  readonly #response: ServerResponse
  readonly #log: EventLog
  readonly #wants: EventFilter
  readonly #maxQueued: number
  #next: number
  /** There is something that it has not taken. */
  #waiting = false
  #written = 0
  #takenBefore = -1

  /** Begins with the event number `next`; a response that is HTTP/2 looks the same. */
  constructor(response: ServerResponse, log: EventLog, wants: EventFilter, next: number, maxQueued: number) {
    this.#response = response
    this.#log = log
    this.#wants = wants
    this.#next = next
    this.#maxQueued = maxQueued
    response.on('drain', () => {
      this.#waiting = false
      this.advance()
    })
  }

  /** Sends what has been added to the log, as far as there is room. */
  advance(): void {
    const log = this.#log
    while (!isGone(this.#response)) {
      if (this.#next < log.oldest) return this.cut()
      const isFull = this.#waiting && this.#response.writableLength >= this.#maxQueued
      if (isFull || this.#next > log.newest) return
      const event = log.at(this.#next++)!
      if (this.#wants(event)) this.send(event.frame)
    }
  }

  /** Sends `heartbeat`, which may say that all events so far have been seen; cuts a client that has stopped reading. */
  beat(heartbeat: string): void {
    this.advance()
    if (!this.#waiting) {
      this.#takenBefore = -1
      this.send(heartbeat)
      return
    }
    const taken = this.#written - this.#response.writableLength
    if (this.#takenBefore !== -1 && taken <= this.#takenBefore) this.cut()
    else this.#takenBefore = taken
  }

  /** Sends text, unless something else waits: what is out of date a moment later must not queue. */
  offer(text: string): void {
    if (!this.#waiting && !isGone(this.#response)) this.send(text)
  }

  /** Sends text as it is. */
  send(text: string): void {
    this.#written += Buffer.byteLength(text)
    if (!this.#response.write(text)) this.#waiting = true
  }

  /** Ends it properly, unless it does not read. */
  end(): void {
    if (this.#waiting) this.cut()
    else this.#response.end()
  }

  /** Ends it at once; nothing that is queued is kept. */
  cut(): void {
    this.#response.destroy()
  }
}
