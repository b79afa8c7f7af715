import type { Backend } from '../../backends/backend.ts'

/** The state of a backend in the rotation. */
interface Turn {
  readonly backend: Backend
  /** Its credit, in units of weight: the sum of all weights is one pick. */
  credit: number
  /** The sum of weights to which its credit refers. */
  scale: number
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)

function take(turns: readonly Turn[]): Backend | undefined {
  let best = turns[0]
  if (best === undefined) return undefined
  let total = 0
  for (const turn of turns) {
    const { effectiveWeight } = turn.backend
    turn.credit += effectiveWeight
    total += effectiveWeight
    if (turn.credit > best.credit) best = turn
  }
  best.credit -= total
  return best.backend
}

/**
 * Converts credit to the current weights. It is scaled relative to one pick: unscaled credit of large old weights would
 * be worth hundreds of turns with small new ones. Credit is limited to ±1 pick, and the credit of removed backends is
 * spread over the others.
 */
function settled(turns: readonly Turn[]): readonly Turn[] {
  const scale = sum(turns.map(({ backend }) => backend.effectiveWeight))
  const owed = turns.map((turn) => (turn.scale === 0 ? 0 : turn.credit / turn.scale))
  const mean = sum(owed) / Math.max(owed.length, 1)
  return turns.map(({ backend, credit, scale: before }, index) => {
    if (before === scale && Math.abs(mean) < 1e-9) return { backend, credit, scale }
    return { backend, scale, credit: Math.min(Math.max(owed[index]! - mean, -1), 1) * scale }
  })
}

/**
 * The turns of smooth weighted round robin, nginx's rule: each pick adds every backend's weight to its credit, takes the
 * one with the most credit (the first of equals) and charges it the sum of the weights. Weights 5:1:1 give a a b a c a a.
 * Credit belongs to the backend: a change of the set does not restart the round.
 */
export class Turns {
  readonly #turns = new WeakMap<Backend, Turn>()

  /** Sets the backends that take turns from the next pick on, with their current weights. */
  among(backends: readonly Backend[]): Round {
    return new Round(backends.map((backend) => this.#of(backend)))
  }

  #of(backend: Backend): Turn {
    let turn = this.#turns.get(backend)
    if (turn === undefined) this.#turns.set(backend, (turn = { backend, credit: 0, scale: 0 }))
    return turn
  }
}

/** All, or those with these indexes. */
function those(turns: readonly Turn[], some: readonly number[] | undefined): readonly Turn[] {
  return some === undefined ? turns : some.map((index) => turns[index]!)
}

/** The turns of one set. */
class Round {
  readonly #turns: readonly Turn[]
  /** Nothing is stored before the first pick: a set that is replaced unused has no effect. */
  #begun = false
  /** By backend, created on demand. */
  #shown: { readonly begun: boolean; readonly turns: ReadonlyMap<Backend, Turn> } | undefined

  constructor(turns: readonly Turn[]) {
    this.#turns = turns
  }

  /** Takes the next turn, of all backends or of those with these indexes. O(n). */
  take(some?: readonly number[]): Backend | undefined {
    if (!this.#begun)
      for (const [index, turn] of settled(this.#turns).entries()) Object.assign(this.#turns[index]!, turn)
    this.#begun = true
    return take(those(this.#turns, some))
  }

  /** Which one would be next after `ahead` more; changes nothing. */
  peek(ahead: number, some?: readonly number[]): Backend | undefined {
    const turns = this.#begun ? this.#turns : settled(this.#turns)
    const copies = those(turns, some).map(({ backend, credit, scale }) => ({ backend, credit, scale }))
    for (let step = 0; step < ahead; step++) take(copies)
    return take(copies)
  }

  /** A backend's credit at the next pick, before it is charged; like that of a new one if it is not in the set. */
  creditOf(backend: Backend): number {
    if (this.#shown?.begun !== this.#begun) {
      const turns = this.#begun ? this.#turns : settled(this.#turns)
      this.#shown = { begun: this.#begun, turns: new Map(turns.map((turn) => [turn.backend, turn])) }
    }
    return (this.#shown.turns.get(backend)?.credit ?? 0) + backend.effectiveWeight
  }
}
