import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from 'undici'
import { Backend } from '../../../src/backends/backend.ts'
import { WeightLine, weightsAreEqual } from '../../../src/picking/policies/weights.ts'

function weighing(...weights: number[]): Backend[] {
  return weights.map(
    (weight, index) =>
      new Backend(`b${index}`, `http://b${index}.test`, { weight, priority: 0, maxInFlight: 1, tags: [] }, {} as Pool),
  )
}

test('weights are equal when all are the same, and when there is none to differ', () => {
  assert.equal(weightsAreEqual([]), true)
  assert.equal(weightsAreEqual(weighing(7)), true)
  assert.equal(weightsAreEqual(weighing(7, 7, 7)), true)
  assert.equal(weightsAreEqual(weighing(7, 7, 8)), false)
  assert.equal(weightsAreEqual(weighing(8, 7, 7)), false)
})

test('every point of the line belongs to the backend on whose stretch it lies', () => {
  for (const weights of [[1], [3], [2, 1], [1, 2, 3], [5, 1, 1, 9, 2, 2, 7], [1, 1, 1, 1, 1, 1, 1, 1]]) {
    const line = new WeightLine(weighing(...weights))
    const owners = weights.flatMap((weight, index) => Array.from({ length: weight }, () => index))
    assert.equal(line.total, owners.length)
    for (const [point, owner] of owners.entries()) {
      assert.equal(line.at(point), owner)
      assert.equal(line.at(point + 0.999), owner)
      assert.ok(line.start(owner) <= point && point < line.start(owner) + weights[owner]!)
    }
  }
})

test('a line of nothing has no length', () => {
  assert.equal(new WeightLine([]).total, 0)
})
