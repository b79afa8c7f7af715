/** Credits are sums of shares, and ten times 0.1 is less than 1. */
const rounding = 1e-9

/**
 * Which class gets the next place: the most important one, except that each of the others gets at least its share of the
 * places given away while it waits. Strict priority alone would starve them: HAProxy's does.
 */
export class ClassShares {
  readonly #share: number
  /** Places that a class has not had yet, from 0 to 1. */
  readonly #credits: number[]

  constructor(classes: number, share: number) {
    this.#share = share
    this.#credits = Array.from({ length: classes }, () => 0)
  }

  /** Would the next place complete its share? */
  isOwed(rank: number): boolean {
    return rank > 0 && this.#share > 0 && this.#credits[rank]! + this.#share >= 1 - rounding
  }

  /** One of `served` has got a place, while these classes were waiting. */
  given(served: number, isWaiting: (rank: number) => boolean): void {
    for (let rank = 1; rank < this.#credits.length; rank++) {
      if (rank !== served && !isWaiting(rank)) continue
      const credit = this.#credits[rank]! + this.#share - (rank === served ? 1 : 0)
      this.#credits[rank] = Math.min(Math.max(credit, 0), 1)
    }
  }
}
