// Room `exchange/limits`: how long an exchange and its parts may take, and how slow a client may be.
import type { ServerResponse } from 'node:http'
import type { Clock } from '../../clock.ts'
import { delivered } from './client-rate.ts'
import type { FailureReason } from '../../failure.ts'
import { StallWatch } from './stall-watch.ts'

/** Something that can be failed: an exchange. */
interface Limited {
  readonly clock: Clock
  fail(reason: FailureReason, error: unknown): void
}

/** The time limits of one exchange as a whole, each named after its failure. Created only as needed. */
export class TimeLimits {
  readonly #limited: Limited
  readonly #idle: number
  readonly #least: number
  #running: Map<FailureReason, unknown> | undefined
  #flush: StallWatch | undefined

  /** `idle` is the longest time without progress, in ms; 0 = no limit. Fewer than `least` bytes are no progress. */
  constructor(limited: Limited, idle: number, least = 1) {
    this.#limited = limited
    this.#idle = idle
    this.#least = Math.max(least, 1)
  }

  /** Fails the exchange for `reason` after `limit` ms, unless that is stopped; 0 = never. */
  start(reason: FailureReason, limit: number): void {
    if (limit === 0) return
    const limited = this.#limited
    const timer = limited.clock.setTimeout(() => limited.fail(reason, undefined), limit)
    this.#running ??= new Map()
    this.#running.set(reason, timer)
  }

  stop(reason: FailureReason): void {
    const timer = this.#running?.get(reason)
    if (timer !== undefined) this.#limited.clock.clearTimeout(timer)
  }

  /**
   * The backend waits for the client, or is done: from now on the client must make progress until it has read
   * everything.
   */
  watchFlush(response: ServerResponse): void {
    const limited = this.#limited
    if (this.#idle === 0 || this.#flush !== undefined) return
    let now = delivered(response)
    const isStuck = () => {
      const before = now
      now = delivered(response)
      return response.writableLength > 0 && now - before < this.#least
    }
    this.#flush = new StallWatch(limited.clock, this.#idle, isStuck, () => limited.fail('client-stalled', undefined))
  }

  stopAll(): void {
    this.#flush?.stop()
    if (this.#running === undefined) return
    for (const timer of this.#running.values()) this.#limited.clock.clearTimeout(timer)
  }
}
