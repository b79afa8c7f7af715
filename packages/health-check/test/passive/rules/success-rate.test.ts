import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { lowShares, successRateLimit } from '../../../src/passive/rules/success-rate.ts'

function outliers(shares: readonly number[], stdev = 1.9): number[] {
  return lowShares(shares, successRateLimit(shares, stdev))
}

function assertClose(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is ${expected}`)
}

test('four that always succeed and one that never does', () => {
  // Mean 4/5 = 0.8; squares of the deviations: 4 × 0.2² + 0.8² = 0.8; variance 0.8/5 = 0.16; sigma 0.4.
  // Limit 0.8 − 1.9 × 0.4 = 0.04.
  const shares = [1, 1, 0, 1, 1]
  const { mean, sigma, limit } = successRateLimit(shares, 1.9)
  assertClose(mean, 0.8)
  assertClose(sigma, 0.4)
  assertClose(limit, 0.04)
  assert.deepEqual(outliers(shares), [2])
  // 0.05 instead of 0: mean 0.81, deviations 0.19 and 0.76, variance (4 × 0.0361 + 0.5776)/5 = 0.1444, sigma 0.38:
  // limit 0.81 − 0.722 = 0.088. However small the distance: the one stands √4 = 2 deviations below.
  assert.deepEqual(outliers([1, 1, 0.05, 1, 1]), [2])
  assert.deepEqual(outliers([1, 1, 0.99, 1, 1]), [2])
})

test('three and one that never succeeds: 1.9 deviations are out of reach', () => {
  // Mean 0.75, variance (3 × 0.0625 + 0.5625)/4 = 0.1875, sigma 0.433; √3 = 1.732 deviations. Limit −0.073.
  assert.deepEqual(outliers([1, 1, 1, 0]), [])
  assert.deepEqual(outliers([1, 1, 1, 0], 1.7), [3])
})

test('two bad ones among ten, the worst first', () => {
  // Sum 8 + 0.5 + 0.4 = 8.9, mean 0.89. Deviations: 8 × 0.11² = 0.0968, 0.39² = 0.1521, 0.49² = 0.2401: sum 0.489,
  // variance 0.0489, sigma 0.22113. Limit 0.89 − 0.42016 = 0.46984 at 1.9; 0.89 − 0.33170 = 0.5583 at 1.5.
  const shares = [1, 0.5, 1, 1, 0.4, 1, 1, 1, 1, 1]
  assertClose(successRateLimit(shares, 1.9).sigma, Math.sqrt(0.0489))
  assert.deepEqual(outliers(shares), [4])
  assert.deepEqual(outliers(shares, 1.5), [4, 1])
})

test('a share at the limit is no outlier', () => {
  // Mean 0.5, sigma 0.5: the limit at one deviation is 0.
  assert.deepEqual(outliers([0, 1], 1), [])
  assert.deepEqual(outliers([0, 1], 0.99), [0])
})

test('equal shares have no outliers, whatever the last bits of their mean', () => {
  for (let share = 0; share <= 1; share += 0.0137) {
    for (const count of [3, 5, 6, 7, 11, 100]) {
      for (const stdev of [1.9, 0.01]) {
        const shares = Array.from({ length: count }, () => share)
        assert.deepEqual(outliers(shares, stdev), [])
      }
    }
  }
})

test('an outlier is below the mean, and the best never is one', () => {
  const anyShares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(anyShares, fc.double({ min: 0.01, max: 3, noNaN: true }), (shares, stdev) => {
      const { mean, limit } = successRateLimit(shares, stdev)
      const low = outliers(shares, stdev)
      const best = Math.max(...shares)
      for (const index of low) assert.ok(shares[index]! < limit && shares[index]! < mean && shares[index]! < best)
      assert.deepEqual(
        low.map((index) => shares[index]!),
        low.map((index) => shares[index]!).sort((a, b) => a - b),
      )
    }),
  )
})
