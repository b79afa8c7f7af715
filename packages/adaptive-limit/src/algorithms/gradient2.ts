import type { LimitAlgorithm, Measured } from './algorithm.ts'
import { LongAverage } from './long-average.ts'

/** How far each window moves the limit towards what it says. */
const smoothing = 0.2
/** Requests that may queue at a backend without being a sign of overload. */
const queueSize = 4
/** No window says less than this share of the limit. */
const lowest = 0.5
/** What of the long average is left when it is more than `drift` times the current one: the overload is over. */
const recovery = 0.95
const drift = 2
/** Shorter times (ms) are noise. */
const shortest = 0.1

/** After so many windows in a row at the limit, one is measured at this part of it. */
const windowsBetween = 30
const part = 0.25

interface GradientSettings {
  readonly initial: number
  readonly min: number
  readonly tolerance: number
}

/**
 * Follows the ratio of the usual response time to the current one (Netflix concurrency-limits, `Gradient2Limit`, with its
 * constants). What is usual is measured only while the limit is not reached: else, during a long overload, the time spent
 * in the backend's own queue would become usual, and the limit would grow without end. If the limit is reached for long,
 * it is lowered for one window now and then, to measure anew; Envoy's gradient controller does the same.
 */
export class Gradient2 implements LimitAlgorithm {
  readonly #settings: GradientSettings
  readonly #long = new LongAverage()
  #estimate: number
  /** For how many windows in a row the limit has been reached. */
  #reached = 0
  isMeasuring = false

  constructor(settings: GradientSettings) {
    this.#settings = settings
    this.#estimate = settings.initial
  }

  get limit(): number {
    return this.isMeasuring ? Math.max(this.#settings.min, this.#estimate * part) : this.#estimate
  }

  get usual(): number | undefined {
    return this.#long.value
  }

  update({ responseTime, inFlight }: Measured, most: number): void {
    if (responseTime === undefined) return
    const current = Math.max(responseTime, shortest)
    if (this.isMeasuring) {
      this.isMeasuring = false
      this.#reached = 0
      this.#long.reset(current)
      return
    }
    const isReached = inFlight >= Math.floor(this.#estimate)
    this.#reached = isReached ? this.#reached + 1 : 0
    if (!isReached || this.#long.value === undefined) this.#long.add(current)
    this.#follow(current, inFlight, most)
    this.isMeasuring = this.#reached >= windowsBetween
  }

  #follow(current: number, inFlight: number, most: number): void {
    const estimate = this.#estimate
    const usual = this.#long.value!
    if (usual / current > drift) this.#long.scale(recovery)
    // With so little in flight, the limit is no cause of anything.
    if (inFlight < estimate / 2) return
    const { min, tolerance } = this.#settings
    const gradient = Math.max(lowest, Math.min(1, (tolerance * usual) / current))
    const next = estimate * (1 - smoothing) + smoothing * (estimate * gradient + queueSize)
    this.#estimate = Math.max(min, Math.min(next, most))
  }
}
