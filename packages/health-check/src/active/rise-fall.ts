/** What is thought of a backend; `unknown` until it has been asked once. */
export type Health = 'unknown' | 'up' | 'down'

/** Which of the three intervals comes next: settled in `up`, on the way to a change, settled in `down`. */
export type Pace = 'interval' | 'fastInterval' | 'downInterval'

/** How many probes in a row change a mind. */
export interface Thresholds {
  /** Good ones that make up of down; 1 or more. */
  readonly rise: number
  /** Bad ones that make down of up; 1 or more. */
  readonly fall: number
}

/**
 * Makes a verdict of probes, so that a single one changes nothing. (HAProxy's `rise` and `fall`.) From `unknown` one
 * probe decides, either way. (Envoy's and HAProxy's rule for the start.) And one good probe is enough for a backend
 * that has never been up: it is starting, not flapping.
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

  /** So many are needed from now on; what has been counted stays. */
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

  /** When to ask again. */
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

  /** How many in a row it takes now, if they contradict the state. */
  needed(good: boolean): number {
    if (this.#state === 'unknown') return 1
    if (good) return this.#rose ? this.#thresholds.rise : 1
    return this.#thresholds.fall
  }
}
