import type { ClassShares } from './class-shares.ts'
import type { Line, Waiter } from './line.ts'

/** Who leaves the queue with a place. */
interface Served<W extends Waiter> {
  serve(waiter: W): void
}

/** One class in a round. */
class Turn<W extends Waiter> {
  readonly #line: Line<W>
  /** For the whole round: an order that changed on the way would leave somebody out. */
  readonly #newestFirst: boolean
  #candidate: W | undefined

  constructor(line: Line<W>, newestFirst: boolean) {
    this.#line = line
    this.#newestFirst = newestFirst
    this.#candidate = this.#first
  }

  /** Who is asked next; undefined when all have been. */
  get candidate(): W | undefined {
    // An attempt may have removed it meanwhile.
    if (this.#candidate !== undefined && !this.#line.has(this.#candidate)) this.#candidate = this.#first
    return this.#candidate
  }

  /** Goes on to the one behind. */
  advance({ previousWaiter, nextWaiter }: W): void {
    this.#candidate = (this.#newestFirst ? previousWaiter : nextWaiter) as W | undefined
  }

  get #first(): W | undefined {
    return this.#newestFirst ? this.#line.newest : this.#line.oldest
  }
}

/** One round of giving places away: asks each waiting request once, in the order in which they are to be served. */
export class Round<W extends Waiter> {
  readonly #queue: Served<W>
  readonly #shares: ClassShares
  readonly #turns: readonly Turn<W>[]

  constructor(
    queue: Served<W>,
    lines: readonly Line<W>[],
    shares: ClassShares,
    newestFirst: (line: Line<W>) => boolean,
  ) {
    this.#queue = queue
    this.#shares = shares
    this.#turns = lines.map((line) => new Turn(line, newestFirst(line)))
  }

  /** Who is asked next; undefined when all have been. */
  next(): W | undefined {
    const turns = this.#turns
    for (let rank = 1; rank < turns.length; rank++) {
      const owed = this.#shares.isOwed(rank) ? turns[rank]!.candidate : undefined
      if (owed !== undefined) return owed
    }
    for (const { candidate } of turns) if (candidate !== undefined) return candidate
    return undefined
  }

  /** It may not be sent to where the place is. */
  passed(waiter: W): void {
    this.#turns[waiter.rank]!.advance(waiter)
  }

  /** It leaves the queue, and gets the place. */
  served(waiter: W): void {
    this.passed(waiter)
    this.#queue.serve(waiter)
  }
}
