/** Random numbers with a look-ahead. */
export class Draws {
  readonly #random: () => number
  readonly #seen: number[] = []

  /** `random` returns 0 ≤ x < 1. */
  constructor(random: () => number) {
    this.#random = random
  }

  next(): number {
    return this.#seen.length === 0 ? this.#random() : this.#seen.shift()!
  }

  /** What `next` will return after `ahead` more calls. */
  peek(ahead: number): number {
    while (this.#seen.length <= ahead) this.#seen.push(this.#random())
    return this.#seen[ahead]!
  }
}
