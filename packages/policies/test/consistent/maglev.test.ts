import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../../src/consistent/layout.ts'
import { maglev, maglevTable, tableSize } from '../../src/consistent/maglev.ts'
import { murmur3 } from '../../src/consistent/murmur3.ts'

const nodesOf = (...weights: number[]) =>
  weights.map((weight, index): Node => ({ identity: `10.0.0.${index}:80`, weight }))

/** Envoy's loop as its source has it: every node is looked at in every turn. */
function byEnvoysLoop(nodes: readonly Node[], size: number): number[] {
  const table = Array.from({ length: size }, () => -1)
  const largest = Math.max(...nodes.map(({ weight }) => weight))
  const targets = nodes.map(() => 0)
  const nexts = nodes.map(() => 0)
  let filled = 0
  for (let turn = 1; filled < size; turn++)
    for (const [index, { identity, weight }] of nodes.entries()) {
      if (filled === size || turn * weight < targets[index]!) continue
      targets[index]! += largest
      const skip = (murmur3(identity, 1) % (size - 1)) + 1
      const placeOf = (number: number) => (murmur3(identity) + skip * number) % size
      while (table[placeOf(nexts[index]!)] !== -1) nexts[index]!++
      table[placeOf(nexts[index]!)] = index
      filled++
    }
  return table
}

test("the table is that of Envoy's loop, whatever the weights", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 }), (weights) => {
      assert.deepEqual([...maglevTable(nodesOf(...weights), 499)], byEnvoysLoop(nodesOf(...weights), 499))
    }),
    { seed: 1, numRuns: 200 },
  )
})

test('every place is taken, and shares are those of the weights to one place', () => {
  for (const weights of [[1], [1, 1, 1], [5, 1, 1], [3, 2, 7, 1], [65_535, 1]]) {
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    for (const [index, share] of maglev(nodesOf(...weights))
      .shares()
      .entries()) {
      const places = share * tableSize
      // In the first turn and in the last, not all have their turn: one place for each weight.
      assert.ok(Math.abs(places - (weights[index]! / total) * tableSize) <= 1 + weights.length, `${weights}: ${places}`)
    }
  }
})

test('one heavy backend among 10 000 does not make the table long to build', () => {
  // Envoy's loop would look 655 million times.
  const weights = Array.from({ length: 10_000 }, (_, index) => (index === 7 ? 65_535 : 1))
  const shares = maglev(nodesOf(...weights)).shares()
  assert.equal(Math.round(shares[7]! * tableSize), tableSize - 9999)
})
