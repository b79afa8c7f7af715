/** How many are kept. */
const kept = 1024

/** The latest responses of all backends, kept in case a path turns out to be long. Adding one allocates nothing. */
export class RecentAnswers {
  readonly #urls: string[] = []
  readonly #ids: string[] = []
  readonly #durations = new Float64Array(kept)
  #added = 0

  /** The backend `id` took `duration` ms to answer a request for `url`. */
  add(url: string, id: string, duration: number): void {
    const slot = this.#added++ % kept
    this.#urls[slot] = url
    this.#ids[slot] = id
    this.#durations[slot] = duration
  }

  /** Calls back for each, in no particular order. */
  each(tell: (url: string, id: string, duration: number) => void): void {
    for (const [slot, url] of this.#urls.entries()) tell(url, this.#ids[slot]!, this.#durations[slot]!)
  }
}
