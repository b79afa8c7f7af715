/** Random numbers that can be looked at before they are used. */
export class Draws {
  readonly #random: () => number
  readonly #seen: number[] = []

  /** `random` answers numbers from 0 up to, not including, 1. */
  constructor(random: () => number) {
    this.#random = random
  }

  next(): number {
    return this.#seen.length === 0 ? this.#random() : this.#seen.shift()!
  }

  /** What `next` will answer after `ahead` more. */
  peek(ahead: number): number {
    while (this.#seen.length <= ahead) this.#seen.push(this.#random())
    return this.#seen[ahead]!
  }
}
