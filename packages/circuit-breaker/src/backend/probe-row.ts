/**
 * What probes have said of a backend since its circuit opened. Good ones let it go on trial before its time: as many in a
 * row as it has opened in a row, and only where they refute something: that it could not be reached, or that a probe has
 * failed meanwhile. To one that answers 503 a probe may be good at any time.
 */
export class ProbeRow {
  #good = 0
  #hasFailed = false

  /** The state of the circuit has changed. */
  reset(): void {
    this.#good = 0
    this.#hasFailed = false
  }

  /** Counts a probe. Answers why a trial may go, if one may; `wasGone`: the circuit opened as it could not be reached. */
  add(good: boolean, openings: number, wasGone: boolean): string | undefined {
    if (!good) {
      this.#good = 0
      this.#hasFailed = true
      return undefined
    }
    if ((!this.#hasFailed && !wasGone) || ++this.#good < openings) return undefined
    return this.#good === 1 ? 'a probe succeeded' : `${this.#good} probes in a row succeeded`
  }
}
