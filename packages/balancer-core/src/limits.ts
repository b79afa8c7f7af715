import type { Clock } from './clock.ts'
import type { FailureReason } from './failure.ts'
import { Flow } from './flow.ts'

/** What can be failed: an exchange. */
interface Limited {
  readonly clock: Clock
  fail(reason: FailureReason, error: unknown): void
}

/** The time limits of one exchange, each named for the failure that it brings about. Nothing is made before it is needed. */
export class Limits {
  readonly #limited: Limited
  readonly #idle: number
  #running: Map<FailureReason, unknown> | undefined
  #flow: Flow | undefined

  /** `idle` is how long nothing may move, in ms; 0 = for ever. */
  constructor(limited: Limited, idle: number) {
    this.#limited = limited
    this.#idle = idle
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

  stopAll(): void {
    this.#flow?.stop()
    if (this.#running === undefined) return
    for (const timer of this.#running.values()) this.#limited.clock.clearTimeout(timer)
  }

  /** The flow, if anything has had to be controlled so far. */
  get flow(): Flow | undefined {
    return this.#flow
  }

  /** Begins to watch the flow. */
  control(): Flow {
    const limited = this.#limited
    return (this.#flow ??= new Flow(limited.clock, this.#idle, (reason) => limited.fail(reason, undefined)))
  }
}
