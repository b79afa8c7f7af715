/** State of a backend; `unknown` before the first probe. */
export type Health = 'unknown' | 'up' | 'down'

/** The interval until the next probe: stable `up`, about to change, or stable `down`. */
export type Pace = 'interval' | 'fastInterval' | 'downInterval'

/** How many probes in a row change the state. */
export interface Thresholds {
  /** Successful ones from down to up; at least 1. */
  readonly rise: number
  /** Failed ones from up to down; at least 1. */
  readonly fall: number
}

/**
 * Turns probes into a state, so that a single one does not change it (HAProxy's `rise` and `fall`). From `unknown`, one
 * probe decides, either way (Envoy's and HAProxy's rule for the start). And one successful probe is enough for a
 * backend that was never up: it is starting, not flapping.
 */
export class RiseFall {
  #state: Health
  #rose: boolean
  #good: boolean | undefined
  #consecutive = 0
  #pace: Pace
  #thresholds: Thresholds

  constructor(thresholds: Thresholds, initial: Health = 'unknown') {
    this.#thresholds = thresholds
    this.#state = initial
    this.#rose = initial === 'up'
    this.#pace = initial === 'down' ? 'downInterval' : 'interval'
  }

  /** Sets how many are needed from now on; what has been counted stays. */
  configure(thresholds: Thresholds): void {
    this.#thresholds = thresholds
  }

  get state(): Health {
    return this.#state
  }

  /** How many of the last probes had the same answer. */
  get consecutive(): number {
    return this.#consecutive
  }

  /** Which interval comes next. */
  get pace(): Pace {
    return this.#pace
  }

  /** Counts a probe; true if it has changed the state. */
  observe(good: boolean): boolean {
    this.#consecutive = good === this.#good ? this.#consecutive + 1 : 1
    this.#good = good
    const contradicts = this.#state !== (good ? 'up' : 'down')
    const changes = contradicts && this.#consecutive >= this.needed(good)
    if (changes) {
      this.#state = good ? 'up' : 'down'
      this.#rose ||= good
    }
    const settled = this.#state === 'up' ? 'interval' : 'downInterval'
    this.#pace = contradicts && !changes ? 'fastInterval' : settled
    return changes
  }

  /** How many probes in a row are needed to change the state. */
  needed(good: boolean): number {
    if (this.#state === 'unknown') return 1
    if (good) return this.#rose ? this.#thresholds.rise : 1
    return this.#thresholds.fall
  }
}
