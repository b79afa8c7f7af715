import type { Layout, LayoutMaker, Node } from './layout.ts'
import { mixed, murmur3 } from './murmur3.ts'
import { sharesOf, Walk } from './walk.ts'

/** A prime, so that every step visits every place. (Maglev paper §3.4; Envoy's default.) */
export const tableSize = 65_537

/** Nodes by the turn in which they take their next place. Lists in arrays: most are of one turn, and there may be 65 537. */
class Turns {
  readonly #first: Int32Array
  readonly #last: Int32Array
  readonly #following: Int32Array
  /** Those of the turn that was asked for last. */
  readonly due: Int32Array

  constructor(turns: number, count: number) {
    this.#first = new Int32Array(turns + 1).fill(-1)
    this.#last = new Int32Array(turns + 1)
    this.#following = new Int32Array(count)
    this.due = new Int32Array(count)
  }

  /** Turns that never come are left out. */
  add(turn: number, index: number): void {
    if (turn >= this.#first.length) return
    if (this.#first[turn] === -1) this.#first[turn] = index
    else this.#following[this.#last[turn]!] = index
    this.#last[turn] = index
    this.#following[index] = -1
  }

  /** Writes to `due` whose turn it is, in the order of the list; answers how many they are. */
  come(turn: number): number {
    let count = 0
    let isSorted = true
    for (let index = this.#first[turn]!; index !== -1; index = this.#following[index]!) {
      if (count > 0 && index < this.due[count - 1]!) isSorted = false
      this.due[count++] = index
    }
    if (!isSorted) this.due.subarray(0, count).sort()
    return count
  }
}

/**
 * Which node has each place. In turns, each node takes the next free place that it wishes for; one with a third of the
 * largest weight takes one in every third turn. (Envoy `maglev_lb.cc`, whose loop visits every node in every turn; this
 * one visits only those whose turn it is, so that one large weight does not cost seconds.)
 */
export function maglevTable(nodes: readonly Node[], size = tableSize): Int32Array {
  const table = new Int32Array(size).fill(-1)
  const largest = nodes.reduce((most, { weight }) => Math.max(most, weight), 0)
  const wished = Int32Array.from(nodes, ({ identity }) => murmur3(identity) % size)
  const skips = Int32Array.from(nodes, ({ identity }) => (murmur3(identity, 1) % (size - 1)) + 1)
  const taken = new Int32Array(nodes.length)
  // The heaviest takes one in every turn.
  const turns = new Turns(size, nodes.length)
  for (let index = 0; index < nodes.length; index++) turns.add(1, index)
  let filled = 0
  for (let turn = 1; filled < size; turn++) {
    const count = turns.come(turn)
    for (let each = 0; each < count && filled < size; each++) {
      const index = turns.due[each]!
      const skip = skips[index]!
      let place = wished[index]!
      while (table[place] !== -1) {
        place += skip
        if (place >= size) place -= size
      }
      table[place] = index
      wished[index] = place
      filled++
      taken[index]! += 1
      turns.add(Math.max(turn + 1, Math.ceil((taken[index]! * largest) / nodes[index]!.weight)), index)
    }
  }
  return table
}

/** Maglev hashing: a table of 65 537 places, shared out by weight. A pick is O(1); the table takes milliseconds. */
export const maglev: LayoutMaker = (nodes): Layout => {
  const table = maglevTable(nodes)
  const walk = new Walk(table, nodes.length)
  return {
    hashOf: murmur3,
    // Another step for each key, so that the keys of a full backend spread over all others, by weight.
    choose: (hash, skip, may) => walk.choose(hash % tableSize, (mixed(hash) % (tableSize - 1)) + 1, skip, may),
    shares: () => sharesOf(table, nodes.length, () => 1),
    positionOf: (hash) => hash % tableSize,
  }
}
