import type { LimitAlgorithm } from './algorithms/algorithm.ts'

/** A window with fewer requests says too little, and goes on. */
const fewest = 10

/** What a limit is at now. */
export interface LimitView {
  /** Id of the backend. */
  readonly backend: string
  /**
   * Most requests that may be in flight to it, by what was measured; not rounded, and within `maxInFlight`. Instances that
   * divide their limits have a part of it each.
   */
  readonly limit: number
  /** The response time without a queue at the backend, in ms; undefined if it is not known, and with `aimd`. */
  readonly usual: number | undefined
  /** For a moment, the limit is lower, to measure that time. */
  readonly isMeasuring: boolean
}

/** The part of a backend that is needed here. */
interface Limited {
  readonly inFlight: number
  readonly maxInFlight: number
  /** What holds now: this limit, or the part of it that another one leaves to this instance. */
  readonly limit: number
}

/** The limit of one backend: collects what is measured in a window, and sets the limit at its end. No timer runs. */
export class BackendLimit {
  readonly #backend: Limited
  readonly #algorithm: LimitAlgorithm
  readonly #window: number
  readonly #set: (limit: number) => void
  /** When the window began, in ms. */
  #since: number
  #count = 0
  #answered = 0
  #sum = 0
  #inFlight = 0
  #failed = false

  /** `window` in ms; `set` is told of each new limit, the first one included. */
  constructor(backend: Limited, algorithm: LimitAlgorithm, window: number, now: number, set: (limit: number) => void) {
    this.#backend = backend
    this.#algorithm = algorithm
    this.#window = window
    this.#since = now
    this.#set = set
    set(algorithm.limit)
  }

  /** A request that began at `startedAt` was answered after `time` ms, or has failed after waiting that long. */
  answered(startedAt: number, time: number, now: number): void {
    if (!this.#counts(startedAt)) return
    this.#sum += time
    this.#answered++
    this.#take(now)
  }

  /** A request that began at `startedAt` has failed. */
  failed(startedAt: number, now: number): void {
    if (!this.#counts(startedAt)) return
    this.#failed = true
    this.#take(now)
  }

  view(id: string): LimitView {
    const { limit, usual, isMeasuring } = this.#algorithm
    return { backend: id, limit: Math.min(limit, this.#backend.maxInFlight), usual, isMeasuring }
  }

  /** Those that began before the limit was lowered still have too many beside them. */
  #counts(startedAt: number): boolean {
    return !this.#algorithm.isMeasuring || startedAt >= this.#since
  }

  /**
   * The limit is what the backend can do for everybody. Where several instances share it, this one has a part of the limit,
   * and the others are taken to be as busy with theirs: a busier one is given a larger part.
   */
  get #inFlightOfAll(): number {
    const { inFlight, limit, maxInFlight } = this.#backend
    const whole = Math.min(Math.floor(this.#algorithm.limit), maxInFlight)
    return limit < whole ? (inFlight * whole) / limit : inFlight
  }

  #take(now: number): void {
    this.#count++
    this.#inFlight = Math.max(this.#inFlight, this.#inFlightOfAll)
    if (this.#count < fewest || now - this.#since < this.#window) return
    const responseTime = this.#answered === 0 ? undefined : this.#sum / this.#answered
    const { limit: before } = this.#algorithm
    const measured = { responseTime, inFlight: this.#inFlight, failed: this.#failed }
    this.#algorithm.update(measured, this.#backend.maxInFlight)
    this.#since = now
    this.#count = this.#answered = this.#sum = this.#inFlight = 0
    this.#failed = false
    if (this.#algorithm.limit !== before) this.#set(this.#algorithm.limit)
  }
}
