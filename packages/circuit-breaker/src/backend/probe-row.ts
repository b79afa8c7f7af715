/**
 * Results of probes since the circuit of a backend opened. Successful ones make it half-open early: as many in a row as
 * openings in a row, and only if they disprove something: that it could not be reached, or a failed probe meanwhile. A
 * backend that answers 503 to requests may pass probes all the time.
 */
export class ProbeRow {
  #good = 0
  #hasFailed = false

  /** To be called when the state of the circuit has changed. */
  reset(): void {
    this.#good = 0
    this.#hasFailed = false
  }

  /**
   * Counts a probe. Returns the reason for a trial, if one may start. `wasGone`: the circuit opened because the backend
   * could not be reached.
   */
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
