import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { latencyLimit } from '../../../src/passive/rules/latency-rule.ts'

const options = { factor: 5, atLeast: 50, minimumBackends: 3, minimumVolume: 20, minimumWaiting: 3 }

function limitOf(p90s: readonly number[], own: number | undefined, given: Partial<typeof options> = {}) {
  const sorted = p90s.toSorted((a, b) => a - b)
  return latencyLimit(sorted, own, { ...options, ...given })
}

test('the median is that of the peers, without the backend itself', () => {
  // Peers of 800: 90 and 110, median 100. Peers of 90: 110 and 800, median 455.
  assert.deepEqual(limitOf([90, 800, 110], 800), { median: 100, limit: 500 })
  assert.deepEqual(limitOf([90, 800, 110], 90), { median: 455, limit: 2275 })
  // Four: peers of 40 are 10, 20, 30.
  assert.deepEqual(limitOf([40, 30, 20, 10], 40), { median: 20, limit: 100 })
  assert.deepEqual(limitOf([40, 30, 20, 10], 10), { median: 30, limit: 150 })
  assert.deepEqual(limitOf([40, 30, 20, 10], 20), { median: 30, limit: 150 })
})

test('of equals only one is left out', () => {
  assert.deepEqual(limitOf([20, 20, 20], 20), { median: 20, limit: 100 })
  assert.deepEqual(limitOf([10, 20, 20, 30], 20), { median: 20, limit: 100 })
  assert.deepEqual(limitOf([10, 10, 30, 30], 30), { median: 10, limit: 60 })
})

test('the limit is at least so far above the median', () => {
  // 5 × 4 = 20 is less than 4 + 50; 5 × 12.5 = 62.5 is as much as 12.5 + 50.
  assert.deepEqual(limitOf([4, 4, 900], 900), { median: 4, limit: 54 })
  assert.deepEqual(limitOf([12.5, 12.5, 900], 900), { median: 12.5, limit: 62.5 })
  assert.deepEqual(limitOf([13, 13, 900], 900), { median: 13, limit: 65 })
  assert.deepEqual(limitOf([4, 4, 900], 900, { atLeast: 0 }), { median: 4, limit: 20 })
})

test('one without enough volume is held against all others', () => {
  assert.deepEqual(limitOf([10, 30], undefined), { median: 20, limit: 100 })
  assert.deepEqual(limitOf([10, 20, 30], undefined), { median: 20, limit: 100 })
})

test('with too few backends there is no limit', () => {
  assert.equal(limitOf([], undefined), undefined)
  assert.equal(limitOf([10], 10), undefined)
  assert.equal(limitOf([10], undefined), undefined)
  assert.equal(limitOf([10, 800], 800), undefined)
  assert.deepEqual(limitOf([10, 800], 800, { minimumBackends: 2 }), { median: 10, limit: 60 })
  assert.equal(limitOf([10, 800, 20], 800, { minimumBackends: 4 }), undefined)
})

test('not more than half of all can be outliers, whatever the p90s', () => {
  const anyP90s = fc.array(fc.double({ min: 0.25, max: 60_000, noNaN: true }), { minLength: 3, maxLength: 30 })
  fc.assert(
    fc.property(anyP90s, (p90s) => {
      const outliers = p90s.filter((p90) => p90 > limitOf(p90s, p90)!.limit)
      assert.ok(outliers.length * 2 <= p90s.length)
    }),
  )
})
