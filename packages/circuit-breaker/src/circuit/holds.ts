/** How a circuit can be held, whatever calls report: open (isolated), or closed (it never opens). */
export type HeldState = 'open' | 'closed'

/** How long it is held, and why. */
export interface HoldOptions {
  /** Expires after this many ms; without it, only `release` ends it. */
  readonly ttl?: number
  /** Why, in words for an operator. */
  readonly reason?: string
  /** The operator who ordered it. */
  readonly who?: string
}

/** A hold on a circuit's state. Of several for the same state, the newest counts. */
export interface Hold {
  readonly state: HeldState
  readonly reason: string
  /** The operator who ordered it, if one did. */
  readonly who: string | undefined
  /** When it expires, on the circuit's clock; Infinity = never. */
  readonly endsAt: number
  /** Releases it. Further calls do nothing. */
  release(): void
}

/**
 * All holds of one circuit. Open has precedence: there is no traffic until the last hold for open is released. Of
 * several holds for the same state, the newest counts.
 */
export class Holds {
  readonly #held = new Set<Hold>()

  /** The hold in force at `at`: the newest one for open, else the newest for closed. Expired ones are removed. */
  inForce(at: number): Hold | undefined {
    let inForce: Hold | undefined
    for (const hold of this.#held) {
      if (hold.endsAt <= at) this.#held.delete(hold)
      else if (hold.state === 'open' || inForce?.state !== 'open') inForce = hold
    }
    return inForce
  }

  add(hold: Hold): void {
    this.#held.add(hold)
  }

  /** False if it was not there any more. */
  delete(hold: Hold): boolean {
    return this.#held.delete(hold)
  }

  clear(): void {
    this.#held.clear()
  }
}
