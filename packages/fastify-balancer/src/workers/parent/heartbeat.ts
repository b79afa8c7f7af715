import type { Clock } from '@fastify-balancer/balancer-core'

/** A worker is asked so often (ms). */
const interval = 500
/** When so many questions in a row were not answered, that is told. They are counted, so that a pause of the parent is none of a worker's. */
const mostUnanswered = 4

/** Whom a heartbeat tells. */
export interface Listener {
  /** Asks the worker. */
  ask(number: number): void
  /** It has not answered for `duration` ms. */
  silent(duration: number): void
  /** It answers again, after `duration` ms. */
  back(duration: number): void
}

/** Notices that the event loop of a worker is blocked. */
export class Heartbeat {
  readonly #clock: Clock
  readonly #listener: Listener
  #timer: unknown
  #last = 0
  #unanswered = 0
  #answeredAt = 0
  #isSilent = false

  constructor(listener: Listener, clock: Clock) {
    this.#listener = listener
    this.#clock = clock
  }

  /** It does not answer at the moment. */
  get isSilent(): boolean {
    return this.#isSilent
  }

  start(): void {
    if (this.#timer !== undefined) return
    this.#answeredAt = this.#clock.now()
    this.#beat()
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer)
  }

  answer(number: number): void {
    if (number !== this.#last) return
    const now = this.#clock.now()
    const duration = now - this.#answeredAt
    const wasSilent = this.#isSilent
    this.#isSilent = false
    this.#unanswered = 0
    this.#answeredAt = now
    if (wasSilent) this.#listener.back(duration)
  }

  #beat(): void {
    if (this.#unanswered >= mostUnanswered && !this.#isSilent) {
      this.#isSilent = true
      this.#listener.silent(this.#clock.now() - this.#answeredAt)
    }
    // One question at a time: those that were not answered would only wait together.
    if (this.#unanswered === 0) this.#listener.ask(++this.#last)
    this.#unanswered++
    this.#timer = this.#clock.setTimeout(() => this.#beat(), interval)
  }
}
