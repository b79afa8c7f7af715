/** So many places of a table are looked at for one key; what is still missing then follows in the order of the list. */
const mostPlaces = 128

/** Walks from place to place of a table that has the index of a node in each, and comes past each node once. */
export class Walk {
  readonly #table: Int32Array
  readonly #count: number
  /** The last walk that came past each node. */
  readonly #passed: Uint32Array
  #walk = 0

  /** `count`: how many nodes there are. */
  constructor(table: Int32Array, count: number) {
    this.#table = table
    this.#count = count
    this.#passed = new Uint32Array(count)
  }

  /** See `Layout.choose`; the walk begins at the place `start`, and each next one is `step` further. */
  choose(start: number, step: number, skip: number, may: (index: number) => boolean): number {
    const table = this.#table
    const first = table[start]!
    const mayFirst = may(first)
    if (mayFirst && skip === 0) return first
    this.#begin(first)
    let left = mayFirst ? skip - 1 : skip
    let place = start
    for (let looked = 1; looked < mostPlaces; looked++) {
      place = (place + step) % table.length
      const index = table[place]!
      if (this.#isNew(index) && may(index) && left-- === 0) return index
    }
    for (let ahead = 1; ahead < this.#count; ahead++) {
      const index = (first + ahead) % this.#count
      if (this.#isNew(index) && may(index) && left-- === 0) return index
    }
    return -1
  }

  #begin(first: number): void {
    this.#walk = (this.#walk + 1) >>> 0
    this.#passed[first] = this.#walk
  }

  #isNew(index: number): boolean {
    if (this.#passed[index] === this.#walk) return false
    this.#passed[index] = this.#walk
    return true
  }
}

/** The share of each of `count` nodes, from how much each has of a whole. */
export function sharesOf(owners: Int32Array, count: number, sizeOf: (place: number) => number): readonly number[] {
  const sums = new Float64Array(count)
  let total = 0
  for (let place = 0; place < owners.length; place++) {
    const size = sizeOf(place)
    sums[owners[place]!]! += size
    total += size
  }
  return Array.from(sums, (sum) => sum / total)
}
