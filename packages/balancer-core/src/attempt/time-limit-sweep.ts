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

function periodOf(limits: readonly number[]): number {
  const shortest = Math.min(...limits.filter((limit) => limit > 0))
  return Math.min(Math.max(Math.ceil(shortest / looks), shortestPeriod), longestPeriod)
}

/**
 * Keeps the time limits of everything under way with one timer for all of it, where undici would set and clear three for
 * each request. Time is counted in periods, so that progress costs one store. A limit is kept no earlier than it says, and
 * less than two periods later; the timer runs only while there is something to look at.
 */
export class TimeLimitSweep {
  /** How much time has passed while anything was under way, in ms, a period at a time. */
  now = 0
  /** By when, at the latest, whatever happens now will have happened: the end of the period. */
  mark: number
  #period: number
  readonly #clock: Clock
  #first: Swept | undefined
  /** The next entry of the current sweep. */
  #next: Swept | undefined
  #timer: unknown

  /** `limits` are in ms; 0 = none. */
  constructor(clock: Clock, limits: readonly number[]) {
    this.#clock = clock
    this.mark = this.#period = periodOf(limits)
  }

  /** In ms. */
  get period(): number {
    return this.#period
  }

  /** From now on, the limits are these (ms; 0 = none). What is under way goes by them, too. */
  limit(limits: readonly number[]): void {
    const period = periodOf(limits)
    if (period === this.#period) return
    this.#period = period
    // The period that was running is not counted: no limit is kept too early.
    this.mark = this.now + period
    if (this.#timer === undefined) return
    this.#clock.clearTimeout(this.#timer)
    this.#arm()
  }

  /** How long it has certainly been since what happened at a `mark`, in ms. */
  since(mark: number): number {
    return this.now - mark
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
    this.#timer = this.#clock.setTimeout(() => this.#look(), this.#period)
  }

  #look(): void {
    this.now = this.mark
    this.mark += this.#period
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
