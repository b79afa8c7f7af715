import type { ServerResponse } from 'node:http'
import { isGone } from '../waiting/gone.ts'
import type { EventFilter } from './event-filter.ts'
import type { EventLog } from './event-log.ts'

/**
 * One client. It reads the log at its own pace, so little is queued for it. It is disconnected when events that it has not
 * read have left the log, or when it reads nothing from one heartbeat to the next; it may reconnect.
 */
export class EventStream {
  readonly #response: ServerResponse
  readonly #log: EventLog
  readonly #wants: EventFilter
  readonly #maxQueued: number
  #next: number
  /** There is something that it has not read yet. */
  #waiting = false
  #written = 0
  #takenBefore = -1

  /** Begins with the event number `next`. */
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

  /** Sends new events from the log, up to `maxQueued` bytes unread. */
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

  /** Sends `heartbeat`; disconnects a client that has stopped reading. */
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

  /** Sends text unless something is still unread: short-lived figures must not queue. */
  offer(text: string): void {
    if (!this.#waiting && !isGone(this.#response)) this.send(text)
  }

  /** Sends text as it is. */
  send(text: string): void {
    this.#written += Buffer.byteLength(text)
    if (!this.#response.write(text)) this.#waiting = true
  }

  /** Ends the stream: cleanly if the client reads, else at once. */
  end(): void {
    if (this.#waiting) this.cut()
    else this.#response.end()
  }

  /** Disconnects the client; what is queued is dropped. */
  cut(): void {
    this.#response.destroy()
  }
}
