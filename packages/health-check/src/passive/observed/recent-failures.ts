/** One failure, as evidence shows it. */
export interface RecentFailure {
  /** When it was seen, in ms since the epoch. */
  readonly at: number
  /** The status of the response, or the reason of the failure. */
  readonly what: number | string
}

/** How many are kept for each backend. */
const kept = 5

/** The last failures of a backend. Adding one allocates nothing: in an outage there are many. */
export class RecentFailures {
  readonly #times: number[] = Array.from({ length: kept }, () => 0)
  readonly #whats: (number | string)[] = Array.from({ length: kept }, () => 0)
  #added = 0

  /** `at` is in ms since the epoch. */
  add(at: number, what: number | string): void {
    const slot = this.#added++ % kept
    this.#times[slot] = at
    this.#whats[slot] = what
  }

  clear(): void {
    this.#added = 0
  }

  /** The latest, in words; undefined if there is none. */
  get last(): string | undefined {
    if (this.#added === 0) return undefined
    const what = this.#whats[(this.#added - 1) % kept]!
    return typeof what === 'number' ? `status ${what}` : what
  }

  /** A copy, the oldest first. */
  list(): RecentFailure[] {
    const length = Math.min(this.#added, kept)
    return Array.from({ length }, (_, index) => {
      const slot = (this.#added - length + index) % kept
      return { at: this.#times[slot]!, what: this.#whats[slot]! }
    })
  }
}
