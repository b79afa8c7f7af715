import type { Attempt, Backend, Balancer, ExchangeView } from '@fastify-balancer/balancer-core'
import { takeReport, wantReport } from '../load-reports/report-header.ts'
import { loadOf } from '../load-reports/reported-load.ts'
import type { Observed } from './observed.ts'

/** Methods whose requests usually have no body. */
const bodyless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE'])

/** Is all of the request here? Otherwise, how long it takes may depend on the client's upload. */
function isWhole({ method, body, headers }: ExchangeView): boolean {
  const { 'content-length': length, 'transfer-encoding': coding } = headers
  if (body !== undefined || length === '0') return true
  return length === undefined && coding === undefined && bodyless.has(method)
}

/** 501 is about the client's method. */
const isFailure = (status: number) => status >= 500 && status !== 501

/** Of the typical response time, so much is that of the latest response (nginx's `least_time`). */
const latestShare = 0.05

const isSlowToEnd = ({ upgraded, grpcStatus, headers }: Attempt) =>
  upgraded || grpcStatus !== undefined || String(headers['content-type']).startsWith('text/event-stream')

/** What is observed, and how. */
export interface ObservationSettings {
  /** What ends a response time. Of event streams, gRPC calls and tunnels it is always the first byte. */
  readonly to?: 'first-byte' | 'last-byte'
  /** Ask backends for load reports. */
  readonly reports: boolean
}

/** An attempt with what policies have written on it. */
type Marked = Attempt & Record<symbol, number | undefined>

/** What a policy has seen of the backends of its balancer. */
export class Observations<State extends Observed> {
  readonly #states = new WeakMap<Backend, State>()
  readonly #make: (backend: Backend) => State
  readonly #settings: ObservationSettings
  /**
   * Under which an attempt that has not been answered carries the load at its arrival. In a Map of all attempts they would
   * outlive themselves: each of its former tables, once old, keeps those in it until the next full garbage collection.
   */
  readonly #mark = Symbol('load at arrival')
  /** The response time of requests that were served, over all backends, in ms; 0 before any. */
  #typical = 0
  #now: () => number = () => 0

  constructor(make: (backend: Backend) => State, settings: ObservationSettings) {
    this.#make = make
    this.#settings = settings
  }

  now(): number {
    return this.#now()
  }

  of(backend: Backend): State {
    let state = this.#states.get(backend)
    if (state === undefined) this.#states.set(backend, (state = this.#make(backend)))
    return state
  }

  /** Learns from all requests of a balancer. Returns what ends that. */
  attach(balancer: Balancer): () => void {
    const { clock } = balancer
    this.#now = () => clock.now()
    const { reports, to } = this.#settings
    const started = (attempt: Attempt) => {
      const state = this.of(attempt.backend)
      state.usedAt = attempt.startedAt
      if (reports) wantReport(attempt)
      if (isWhole(attempt.exchange)) this.#wait(attempt, state)
    }
    const responded = (attempt: Attempt) => {
      const state = this.of(attempt.backend)
      const load = (attempt as Marked)[this.#mark]
      this.#heard(attempt, state, attempt.respondedAt)
      if (reports) {
        const report = takeReport(attempt.headers)
        if (report !== undefined) state.report = loadOf(report, attempt.backend.inFlight, attempt.respondedAt)
      }
      if (to === 'last-byte' && !isSlowToEnd(attempt)) return
      if (attempt.uploaded && !isFailure(attempt.effectiveStatus))
        state.responded(this.#counted(attempt.responseTime, attempt.effectiveStatus), attempt.respondedAt, load)
    }
    const ended = (attempt: Attempt) => {
      const { blame, outcome, effectiveStatus, askedAt, endedAt, backend } = attempt
      const state = this.of(backend)
      if (blame === 'backend' || isFailure(effectiveStatus)) {
        this.#heard(attempt, state, endedAt)
        state.failed(endedAt)
      } else if (this.#answered(attempt, state)) {
        // That there was no socket for it is about this process.
        if (askedAt !== undefined && outcome !== 'out-of-sockets') state.abandoned(endedAt - askedAt, endedAt)
      } else if (to === 'last-byte' && blame === undefined && attempt.uploaded && !isSlowToEnd(attempt))
        state.responded(this.#counted(endedAt - askedAt!, effectiveStatus), endedAt)
    }
    const hooks = { onAttemptStart: started, onAttemptResponse: responded, onAttemptEnd: ended } as const
    for (const [name, hook] of Object.entries(hooks)) balancer.addHook(name as keyof typeof hooks, hook)
    return () => {
      for (const [name, hook] of Object.entries(hooks)) balancer.removeHook(name as keyof typeof hooks, hook)
    }
  }

  /**
   * What a response time counts as. To refuse (4xx) takes no work: a backend that refuses everything would look like the
   * fastest, and get it. So a refusal counts as no faster than what is typical of requests that are served.
   */
  #counted(duration: number, status: number): number {
    if (status >= 400) return Math.max(duration, this.#typical)
    this.#typical = this.#typical === 0 ? duration : this.#typical + (duration - this.#typical) * latestShare
    return duration
  }

  #wait(attempt: Attempt, state: State): void {
    if (state.waiting++ === 0) state.heardAt = attempt.startedAt
    state.waitingSince += attempt.startedAt
    // It is counted already.
    ;(attempt as Marked)[this.#mark] = attempt.backend.inFlight - 1
  }

  /** It waits no longer; false if it did not. */
  #answered(attempt: Attempt, state: State): boolean {
    const marked = attempt as Marked
    if (marked[this.#mark] === undefined) return false
    marked[this.#mark] = undefined
    // From 0 again, so that errors of rounding do not add up.
    state.waitingSince = --state.waiting === 0 ? 0 : state.waitingSince - attempt.startedAt
    return true
  }

  #heard(attempt: Attempt, state: State, now: number): void {
    this.#answered(attempt, state)
    state.heardAt = now
  }
}
