// Room `probe`: one probe of one backend: request, connection, and judgement of the response.
import type { Backend, Clock } from '@fastify-balancer/balancer-core'
import type { Pauses } from '@fastify-balancer/option-schema'
import { describe } from './error-description.ts'
import { isOutOfSockets } from './out-of-sockets.ts'

/** Why a probe does not count: this process had no socket for it, or was paused meanwhile. */
export type Inconclusive = 'out-of-sockets' | 'pause'

/** Report of a probe: plain data, without header values. Times in ms. */
export interface ProbeReport {
  readonly good: boolean
  /** Why the probe does not count, if so; `good` is then false. */
  readonly inconclusive?: Inconclusive
  /** When it began, in ms since the epoch. */
  readonly at: number
  /** The request: `HEAD http://10.0.0.1:3000/`. */
  readonly sent: string
  /** The result: `HTTP 200`, `connect ECONNREFUSED`, `no answer within 2000 ms`. */
  readonly received: string
  /** The certificate that was not accepted, if that is why it failed: the backend's, or the one presented to it. */
  readonly certificate?: ReturnType<Backend['tls']['presentedIn']>
  /** All from the start of the probe. */
  readonly timings: {
    /** Until the connection was ready, with TLS. */
    readonly connected?: number
    /** Until the response headers. */
    readonly responded?: number
    /** Total. */
    readonly took: number
  }
}

/** Clock for probes. */
export interface ProbeTiming {
  readonly clock: Clock
  readonly pauses: Pauses
  /** Time limit of one probe, in ms. */
  readonly timeout: number
}

/**
 * How often a probe gets its full time again after a pause of this process; after one more pause, it does not count.
 */
const mostExtensions = 3

/** Refused connections count even after a pause of this process. */
const refused = 'ECONNREFUSED'

/** Timers may fire a little early (ms). */
const negligible = 1

/**
 * Probes one backend, and reports the result to `probing`, at most once. Hands `probing` what it opens, so that it can
 * be closed.
 */
export type Probe = (backend: Backend, probing: Probing) => void

/**
 * One probe in progress. It ends once: by a result, by its time limit, or by cancellation; then it closes what the
 * probe has opened. Faults of this process do not count against the backend: after a pause the probe gets its full time
 * again, and without a socket it does not count.
 */
export class Probing {
  /** The request, for the report. */
  sent = ''
  /** What it is waiting for, for the report. */
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
  #certificate: ProbeReport['certificate']
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

  /**
   * Sets the function that closes the probe's connection at its end, or at once if it has ended. A later one replaces
   * it.
   */
  closeBy(close: () => void): void {
    if (this.#ended) close()
    else this.#close = close
  }

  /** The connection is ready. */
  connected(): void {
    this.#connected = this.#elapsed()
    this.awaits = 'answer'
  }

  /** The response headers have arrived. */
  responded(): void {
    this.#responded = this.#elapsed()
    this.awaits = 'end of the body'
  }

  /** Ends it: healthy. */
  good(received: string): void {
    this.#end(true, received)
  }

  /** Ends it: unhealthy, with the reason. Also cancels a probe. */
  bad(received: string): void {
    this.#end(false, received)
  }

  /** Ends it with an error; `before` describes what had arrived by then, `certificate` what the error is about. */
  failed(error: unknown, before = '', certificate?: ProbeReport['certificate']): void {
    this.#certificate = certificate
    const what = before + describe(error)
    if (isOutOfSockets(error)) this.#inconclusive('out-of-sockets', `${what}: this process is out of sockets`)
    else if (this.#hasPaused && !what.includes(refused))
      this.#inconclusive('pause', `${what}, after a pause of this process`)
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
    else this.#inconclusive('pause', `no ${this.awaits}, while this process was paused repeatedly`)
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
      ...(this.#certificate !== undefined && { certificate: this.#certificate }),
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
