import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quantileOf } from '../../src/simulation/figures/measurements.ts'

test('a quantile is the value that so many do not exceed, at round sizes, too', () => {
  const upTo = (count: number) => Float64Array.from({ length: count }, (_, index) => index + 1)
  for (const [count, percent, value] of [
    [1000, 99.9, 999],
    [100, 99, 99],
    [2000, 99.9, 1998],
    [1001, 99.9, 1000],
    [10, 99.9, 10],
    [1, 50, 1],
    [0, 50, 0],
  ] as const)
    assert.equal(quantileOf(upTo(count), percent), value, `${percent} % of ${count}`)
})
