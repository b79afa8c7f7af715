import type { Clock } from '../clock.ts'

/** What is looked over: linked to its neighbours, so that entering and leaving cost next to nothing. */
export interface Swept {
  previousSwept: Swept | undefined
  nextSwept: Swept | undefined
  /** Time has passed. */
  onSweep(): void
}

/** How often within the shortest limit it is looked, and at least and at most how long that takes (ms). */
const looks = 8
const shortestPeriod = 5
const longestPeriod = 250

/**
 * Keeps the time limits of everything under way with one timer for all of it, where undici would set and clear three for
 * each request. Time is counted in ticks, so that progress costs one store. A limit is kept no earlier than it says, and
 * less than two periods later; the timer runs only while there is something to look at.
 */
export class TimeLimitSweep {
  /** How many periods have passed while anything was under way. */
  tick = 0
  /** In ms. */
  readonly period: number
  readonly #clock: Clock
  #first: Swept | undefined
  /** Who is looked at next. */
  #next: Swept | undefined
  #timer: unknown

  /** `limits` are in ms; 0 = none. */
  constructor(clock: Clock, limits: readonly number[]) {
    this.#clock = clock
    const shortest = Math.min(...limits.filter((limit) => limit > 0))
    this.period = Math.min(Math.max(Math.ceil(shortest / looks), shortestPeriod), longestPeriod)
  }

  /** How long it has certainly been since `tick`, in ms. */
  since(tick: number): number {
    // The period in which it happened has been passed in part only.
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
      // What is done to one may make any of them leave.
      this.#next = swept.nextSwept
      swept.onSweep()
      swept = this.#next
    }
    this.#timer = undefined
    if (this.#first !== undefined) this.#arm()
  }
}
