/** How a circuit can be held, against what calls say: open (isolated), or closed (it never trips). */
export type HeldState = 'open' | 'closed'

/** How long it is held, and why. */
export interface HoldOptions {
  /** Ends by itself after so many ms; without it, only by `release`. */
  readonly ttl?: number
  /** Why, for whoever comes upon it. */
  readonly reason?: string
}

/** Somebody holds a circuit in a state. */
export interface Hold {
  readonly state: HeldState
  readonly reason: string
  /** When it ends by itself, on the circuit's clock; Infinity = never. */
  readonly endsAt: number
  /** Lets go. Calling it again does nothing. */
  release(): void
}

/** All who hold one circuit. Open is the stronger order: traffic waits until the last who wants none has let go. */
export class Holds {
  readonly #held = new Set<Hold>()
  /** When the next one ends by itself; Infinity = none does. */
  endsAt = Infinity

  /** The hold that is obeyed: the oldest of the stronger kind. */
  get obeyed(): Hold | undefined {
    let obeyed: Hold | undefined
    for (const hold of this.#held) {
      if (hold.state === 'open') return hold
      obeyed ??= hold
    }
    return obeyed
  }

  add(hold: Hold): void {
    this.#held.add(hold)
    this.endsAt = Math.min(this.endsAt, hold.endsAt)
  }

  /** False if it had gone already. */
  delete(hold: Hold): boolean {
    const had = this.#held.delete(hold)
    this.#update()
    return had
  }

  /** Drops those that have ended by `at`. */
  expire(at: number): void {
    for (const hold of this.#held) if (hold.endsAt <= at) this.#held.delete(hold)
    this.#update()
  }

  clear(): void {
    this.#held.clear()
    this.#update()
  }

  #update(): void {
    this.endsAt = Infinity
    for (const hold of this.#held) this.endsAt = Math.min(this.endsAt, hold.endsAt)
  }
}
