/** How long deaths are remembered (ms). */
const memory = 60_000
/** How many of them end the replacing. */
const mostDeaths = 5
/** The wait after the second death (ms); after each further one it is twice as long. */
const firstWait = 500
const longestWait = 10_000

/** The deaths of the workers of one place, and what follows from them. */
class Replacement {
  readonly #deaths: number[] = []

  /** It died at `now` (ms). Answers how long to wait before it is replaced (ms); undefined = not at all. */
  afterDeath(now: number): number | undefined {
    this.#deaths.push(now)
    while (this.#deaths[0]! <= now - memory) this.#deaths.shift()
    const count = this.#deaths.length
    if (count >= mostDeaths) return undefined
    return count === 1 ? 0 : Math.min(longestWait, firstWait * 2 ** (count - 2))
  }
}

/** One of the workers; its process may change. */
export interface Place {
  readonly number: number
  readonly replacement: Replacement
  /** Until the next one is started. */
  timer: unknown
  hasFailed: boolean
}

/** So many, of which nothing is known yet. */
export function placesFor(count: number): readonly Place[] {
  return Array.from({ length: count }, (_, index) => ({
    number: index + 1,
    replacement: new Replacement(),
    timer: undefined,
    hasFailed: false,
  }))
}
