// Room `sharing`: probes that several instances share, so that each backend is probed once for all of them.

/** Who probes for all, as far as it is known here. */
export interface Keeping {
  readonly isKeeper: boolean
}

/** Reports of the others count as missing after this many intervals. */
const missed = 2

/**
 * Whose turn it is to probe one backend. The keeper probes, and the others wait for its reports; when these have been missing
 * for two intervals, this instance stands in until the keeper is heard again. Times in ms, on one clock.
 */
export class Duty {
  readonly #keeping: Keeping
  #standsIn = false
  /** From when on a report is being missed. */
  #since = -Infinity

  constructor(keeping: Keeping) {
    this.#keeping = keeping
  }

  /** Does this instance probe the backend now? */
  get isOurs(): boolean {
    return this.#standsIn || this.#keeping.isKeeper
  }

  /** How long to wait for others, from now on, at this interval and with this time limit of probes. */
  patience(interval: number, timeout: number, now: number): number {
    return Math.max(0, this.#since + missed * interval + timeout - now)
  }

  /** The keeper has told of a probe. If this instance stood in for it, that ends. */
  heardKeeper(): void {
    this.#standsIn = false
  }

  /** Others get their full time from then on: a probe began, or one of them was asked to look. */
  expect(since: number): void {
    this.#since = Math.max(this.#since, since)
  }

  /** Another one is the keeper, and has its full time. */
  keeperChanged(now: number): void {
    this.#standsIn = false
    this.expect(now)
  }

  /** Patience is over: this instance probes from now on. */
  standIn(): void {
    this.#standsIn = true
  }
}
