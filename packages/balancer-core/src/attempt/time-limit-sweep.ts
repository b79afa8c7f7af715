import type { Clock } from '../clock.ts'

/** An entry of the sweep: a linked list, so that entering and leaving cost next to nothing. */
export interface Swept {
  previousSwept: Swept | undefined
  nextSwept: Swept | undefined
  /** Called in each sweep. */
  onSweep(): void
}

/** How many sweeps within the shortest limit, and the shortest and longest period between two (ms). */
const looks = 8
const shortestPeriod = 5
const longestPeriod = 250

/**
 * Checks the time limits of all attempts in progress with one timer, where undici would set and clear three per
 * request. Time is counted in ticks, so that noting progress is one assignment. A limit takes effect no earlier than it
 * says, and less than two periods later; the timer runs only while there are attempts.
 */
export class TimeLimitSweep {
  /** How many periods have passed while there were attempts. */
  tick = 0
  /** In ms. */
  readonly period: number
  readonly #clock: Clock
  #first: Swept | undefined
  /** The next entry of the current sweep. */
  #next: Swept | undefined
  #timer: unknown

  /** `limits` are in ms; 0 = none. */
  constructor(clock: Clock, limits: readonly number[]) {
    this.#clock = clock
    const shortest = Math.min(...limits.filter((limit) => limit > 0))
    this.period = Math.min(Math.max(Math.ceil(shortest / looks), shortestPeriod), longestPeriod)
  }

  /** Lower bound of the time since `tick`, in ms. */
  since(tick: number): number {
    // The period in which it happened has passed only in part.
    return (this.tick - tick - 1) * this.period
  }

  enter(swept: Swept): void {
    const next = this.#first
    swept.nextSwept = next
    if (next !== undefined) next.previousSwept = swept
    this.#first = swept
    if (this.#timer === undefined) this.#arm()
  }

  leave(swept: Swept): void {
    const { previousSwept, nextSwept } = swept
    if (previousSwept === undefined) {
      if (this.#first !== swept) return
      this.#first = nextSwept
    } else previousSwept.nextSwept = nextSwept
    if (nextSwept !== undefined) nextSwept.previousSwept = previousSwept
    if (this.#next === swept) this.#next = nextSwept
    swept.previousSwept = undefined
    swept.nextSwept = undefined
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer)
  }

  #arm(): void {
    this.#timer = this.#clock.setTimeout(() => this.#look(), this.period)
  }

  #look(): void {
    this.tick++
    let swept = this.#first
    while (swept !== undefined) {
      // Handling one entry may remove any other.
      this.#next = swept.nextSwept
      swept.onSweep()
      swept = this.#next
    }
    this.#timer = undefined
    if (this.#first !== undefined) this.#arm()
  }
}
