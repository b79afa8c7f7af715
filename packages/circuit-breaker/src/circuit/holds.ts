/** How a circuit can be held, against what calls say: open (isolated), or closed (it never trips). */
export type HeldState = 'open' | 'closed'

/** How long it is held, and why. */
export interface HoldOptions {
  /** Ends by itself after so many ms; without it, only by `release`. */
  readonly ttl?: number
  /** Why, for whoever comes upon it. */
  readonly reason?: string
}

/** Somebody holds a circuit in a state. Of several, the newest that wants the same speaks for all. */
export interface Hold {
  readonly state: HeldState
  readonly reason: string
  /** When it ends by itself, on the circuit's clock; Infinity = never. */
  readonly endsAt: number
  /** Lets go. Calling it again does nothing. */
  release(): void
}

/**
 * All who hold one circuit. Open is the stronger order: traffic waits until the last who wants none has let go. Of several
 * that want the same, the newest speaks for all: it is what was last ordered.
 */
export class Holds {
  readonly #held = new Set<Hold>()

  /** The hold in force at `at`: the newest of the stronger kind. Those that have ended by then are dropped. */
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

  /** False if it had gone already. */
  delete(hold: Hold): boolean {
    return this.#held.delete(hold)
  }

  clear(): void {
    this.#held.clear()
  }
}
