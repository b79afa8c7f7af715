import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Clock } from './clock.ts'
import type { FailureReason } from './failure.ts'
import { StallWatch } from './stall-watch.ts'

/**
 * Back-pressure of one exchange, and who stalls: a client that does not read, one that stops sending, a backend that
 * stops taking. Made only for what streams: a response that had to be paused, a body that did not come at once.
 */
export class Flow {
  readonly #clock: Clock
  /** How long nothing may move, in ms; 0 = for ever. */
  readonly #idle: number
  readonly #fail: (reason: FailureReason) => void
  #paused: Dispatcher.DispatchController | undefined
  #response: ServerResponse | undefined
  #watch: StallWatch | undefined

  constructor(clock: Clock, idle: number, fail: (reason: FailureReason) => void) {
    this.#clock = clock
    this.#idle = idle
    this.#fail = fail
  }

  /** A body is being sent; until `isSent`, something of it must move. */
  watchUpload(body: Readable, isSent: () => boolean): void {
    this.#watchFor(
      () => !isSent(),
      // undici pauses the body while the backend's socket takes no more.
      () => this.#fail(body.isPaused() ? 'upload-timeout' : 'client-stalled'),
    )
  }

  /** Something moved. */
  progress(): void {
    this.#watch?.progress()
  }

  /** The client reads more slowly than the backend sends: holds the backend up until it has read what there is. */
  pause(controller: Dispatcher.DispatchController, response: ServerResponse): void {
    if (this.#paused !== undefined) return
    this.#paused = controller
    controller.pause()
    if (this.#response === undefined) {
      this.#response = response
      response.on('drain', () => this.resume())
      this.#watchFor(
        () => this.#paused !== undefined,
        () => this.#fail('client-stalled'),
      )
    } else this.progress()
  }

  resume(): void {
    const controller = this.#paused
    if (controller === undefined) return
    this.#paused = undefined
    this.progress()
    controller.resume()
  }

  /** Everything has been handed over; until the client has taken it, what is left of it must get less. */
  watchFlush(response: ServerResponse): void {
    let left = response.writableLength
    this.#watchFor(
      () => {
        const before = left
        left = response.writableLength
        return left === before
      },
      () => this.#fail('client-stalled'),
    )
  }

  stop(): void {
    this.#watch?.stop()
  }

  #watchFor(isWaiting: () => boolean, onStall: () => void): void {
    this.#watch?.stop()
    if (this.#idle > 0) this.#watch = new StallWatch(this.#clock, this.#idle, isWaiting, onStall)
  }
}
