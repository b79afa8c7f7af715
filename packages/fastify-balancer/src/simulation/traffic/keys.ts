import type { KeyOptions } from '../scenario/scenario.ts'
import type { Random } from '../world/random-stream.ts'

/** What is known of who asks. */
export interface User {
  readonly headers: Readonly<Record<string, string>>
  readonly address: string
}

/** Whose requests come: those of many users, the first of whom asks most often. */
export class Keys {
  readonly users: readonly User[]
  /** The share of requests of each user and of all before it. */
  readonly #shares: Float64Array

  /** By Zipf's law: the user of rank n asks `1 / n ** skew` times as often as the first. */
  constructor({ header, users, skew }: KeyOptions) {
    this.users = Array.from({ length: users }, (_, index) => ({
      headers: { [header]: `user-${index + 1}` },
      address: `172.${16 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`,
    }))
    this.#shares = new Float64Array(users)
    let sum = 0
    for (let index = 0; index < users; index++) this.#shares[index] = sum += 1 / (index + 1) ** skew
  }

  /** Draws whose request it is. O(log n). */
  draw(random: Random): User {
    const shares = this.#shares
    const point = random() * shares.at(-1)!
    let low = 0
    let high = shares.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (point < shares[middle]!) high = middle
      else low = middle + 1
    }
    return this.users[low]!
  }
}
