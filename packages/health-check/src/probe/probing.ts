// Room `probe`: one probe of one backend: what is asked, over what, and what its answer says.
import type { Backend, Clock } from '@fastify-balancer/balancer-core'
import type { Pauses } from '@fastify-balancer/option-schema'
import { describe } from './error-description.ts'
import { isOutOfSockets } from './out-of-sockets.ts'

/** Why a probe does not count: this process had no socket for it, or was paused meanwhile. */
export type Inconclusive = 'out-of-sockets' | 'pause'

/** What a probe was, and what came of it: plain data, without what headers hold. Times are ms. */
export interface ProbeReport {
  readonly good: boolean
  /** Set when the probe does not count, and why; `good` is then false. */
  readonly inconclusive?: Inconclusive
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

/** What probes are measured with. */
export interface ProbeTiming {
  readonly clock: Clock
  readonly pauses: Pauses
  /** Of one probe, in ms. */
  readonly timeout: number
}

/** So often a probe is given its whole time anew, because this process stood still; once more, and it says nothing. */
const mostExtensions = 3

/** There is nobody who listens, however long this process stood still. */
const refused = 'ECONNREFUSED'

/** Timers ring a little early (ms). */
const negligible = 1

/** Asks one backend whether it is well, and tells `probing`, once or not at all. What it opens, it hands to `probing`. */
export type Probe = (backend: Backend, probing: Probing) => void

/**
 * One probe under way. It ends once: by what the probe says, by its time limit, or because nobody wants to know any
 * more; and then closes what the probe has opened. What this process itself is to blame for is not held against the
 * backend: a pause gives the probe its time anew, and having no socket says nothing.
 */
export class Probing {
  /** What is asked, for the report. */
  sent = ''
  /** What is waited for, for the report. */
  awaits = 'answer'
  readonly #timing: ProbeTiming
  readonly #onReport: (report: ProbeReport) => void
  readonly #at = Date.now()
  readonly #startedAt: number
  #timer: unknown
  #extensions = 0
  #connected: number | undefined
  #responded: number | undefined
  #close: (() => void) | undefined
  #ended = false

  /** `onReport` is called once, maybe before the probe has returned. */
  constructor(timing: ProbeTiming, onReport: (report: ProbeReport) => void) {
    this.#timing = timing
    this.#onReport = onReport
    this.#startedAt = timing.clock.now()
    this.#wait(timing.timeout)
  }

  /** Lets a probe begin; one that throws has failed. */
  start(probe: Probe, backend: Backend): void {
    try {
      probe(backend, this)
    } catch (error) {
      this.failed(error)
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

  /** It is not: why. Also what takes a probe back. */
  bad(received: string): void {
    this.#end(false, received)
  }

  /** An error came in place of an answer; `before` is what had come by then, in words. */
  failed(error: unknown, before = ''): void {
    const what = before + describe(error)
    if (isOutOfSockets(error)) this.#inconclusive('out-of-sockets', `${what}: this process is out of sockets`)
    else if (this.#hasPaused && !what.includes(refused))
      this.#inconclusive('pause', `${what}, after this process stood still`)
    else this.bad(what)
  }

  get #hasPaused(): boolean {
    const { clock, pauses } = this.#timing
    return pauses.happenedSince(this.#startedAt, clock.now())
  }

  #wait(duration: number): void {
    this.#timer = this.#timing.clock.setTimeout(() => this.#timeIsUp(), duration)
  }

  #timeIsUp(): void {
    const { clock, pauses, timeout } = this.#timing
    const now = clock.now()
    const left = pauses.resumedAt(now) + timeout - now
    if (left < negligible) this.bad(`no ${this.awaits} within ${timeout} ms`)
    else if (this.#extensions++ < mostExtensions) this.#wait(left)
    else this.#inconclusive('pause', `no ${this.awaits}, while this process stood still again and again`)
  }

  #inconclusive(why: Inconclusive, received: string): void {
    this.#end(false, received, why)
  }

  #end(good: boolean, received: string, inconclusive?: Inconclusive): void {
    if (this.#ended) return
    this.#ended = true
    this.#timing.clock.clearTimeout(this.#timer)
    this.#close?.()
    this.#onReport({
      good,
      ...(inconclusive !== undefined && { inconclusive }),
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
    return Math.round((this.#timing.clock.now() - this.#startedAt) * 100) / 100
  }
}
