import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bucketCount, bucketOf, percentile } from '../../src/history/histogram.ts'

/** From 0.1 ms to 14 minutes, as often short as long. */
const duration = fc.double({ min: -1, max: 5.92, noNaN: true }).map((exponent) => 10 ** exponent)

test('a percentile is within 4.4 % of the exact one, by nearest rank', () => {
  fc.assert(
    fc.property(
      fc.array(duration, { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.5, 0.95, 0.99, 1),
      (durations, share) => {
        const counts = new Uint32Array(bucketCount)
        for (const one of durations) counts[bucketOf(one)]!++
        const exact = Float64Array.from(durations).sort()[Math.ceil(share * durations.length) - 1]!
        const told = percentile(counts, share) / 1000
        assert.ok(Math.abs(told - exact) <= 0.044 * exact + 0.0005, `${told} for ${exact}`)
      },
    ),
    { seed: 14, numRuns: 1000 },
  )
})

test('durations out of its bounds belong to the first and the last bucket', () => {
  assert.deepEqual([bucketOf(0), bucketOf(0.1), bucketOf(0.11)], [0, 0, 2])
  assert.deepEqual([bucketOf(900_000), bucketOf(Infinity)], [bucketCount - 1, bucketCount - 1])
  assert.equal(percentile(new Uint32Array(bucketCount), 0.5), 0)
})
