import type { Backend, Clock } from '@fastify-balancer/balancer-core'
import { describe } from './error-description.ts'

/** What a probe was, and what came of it: plain data, without what headers hold. Times are ms. */
export interface ProbeReport {
  readonly good: boolean
  /** When it began, in ms since the epoch. */
  readonly at: number
  /** What was asked: `HEAD http://10.0.0.1:3000/`. */
  readonly sent: string
  /** What came of it: `HTTP 200`, `connect ECONNREFUSED`, `no answer within 2000 ms`. */
  readonly received: string
  /** Counted from the beginning. */
  readonly timings: {
    /** Until the connection could be used, TLS included. */
    readonly connected?: number
    /** Until the headers of the answer were there. */
    readonly responded?: number
    /** The whole. */
    readonly took: number
  }
}

/** Asks one backend whether it is well, and tells `probing`, once or not at all. What it opens, it hands to `probing`. */
export type Probe = (backend: Backend, probing: Probing) => void

/**
 * One probe under way. It ends once: by what the probe says, by its time limit, or because nobody wants to know any
 * more; and then closes what the probe has opened.
 */
export class Probing {
  /** What is asked, for the report. */
  sent = ''
  /** What is waited for, for the report. */
  awaits = 'answer'
  readonly #clock: Clock
  readonly #onReport: (report: ProbeReport) => void
  readonly #at = Date.now()
  readonly #startedAt: number
  readonly #timer: unknown
  #connected: number | undefined
  #responded: number | undefined
  #close: (() => void) | undefined
  #ended = false

  /** `timeout` in ms. `onReport` is called once, maybe before the probe has returned. */
  constructor(clock: Clock, timeout: number, onReport: (report: ProbeReport) => void) {
    this.#clock = clock
    this.#onReport = onReport
    this.#startedAt = clock.now()
    this.#timer = clock.setTimeout(() => this.bad(`no ${this.awaits} within ${timeout} ms`), timeout)
  }

  /** Lets a probe begin; one that throws has failed. */
  start(probe: Probe, backend: Backend): void {
    try {
      probe(backend, this)
    } catch (error) {
      this.bad(describe(error))
    }
  }

  get ended(): boolean {
    return this.#ended
  }

  /** What closes everything when it has ended: at once, if it has. One only: a later one takes its place. */
  closeBy(close: () => void): void {
    if (this.#ended) close()
    else this.#close = close
  }

  /** The connection can be used. */
  connected(): void {
    this.#connected = this.#elapsed()
    this.awaits = 'answer'
  }

  /** The headers of the answer are there. */
  responded(): void {
    this.#responded = this.#elapsed()
    this.awaits = 'end of the body'
  }

  /** The backend is well. */
  good(received: string): void {
    this.#end(true, received)
  }

  /** It is not: why, or what was thrown. Also what takes a probe back. */
  bad(received: string): void {
    this.#end(false, received)
  }

  #end(good: boolean, received: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#clock.clearTimeout(this.#timer)
    this.#close?.()
    this.#onReport({
      good,
      at: this.#at,
      sent: this.sent,
      received,
      timings: {
        ...(this.#connected !== undefined && { connected: this.#connected }),
        ...(this.#responded !== undefined && { responded: this.#responded }),
        took: this.#elapsed(),
      },
    })
  }

  /** In ms, to a hundredth. */
  #elapsed(): number {
    return Math.round((this.#clock.now() - this.#startedAt) * 100) / 100
  }
}
