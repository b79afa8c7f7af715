import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { healthShares } from '../../src/tiers/health-shares.ts'

const percent = (...healthy: number[]) =>
  healthShares(
    healthy.map((one) => ({ healthy: one, total: 100 })),
    1.4,
  ).map((share) => Math.round(share * 100))

// The tables of Envoy's documentation, "Priority levels".
for (const [healthy, expected] of [
  [[100], [100]],
  [
    [100, 100],
    [100, 0],
  ],
  [
    [72, 72],
    [100, 0],
  ],
  [
    [71, 71],
    [99, 1],
  ],
  [
    [50, 50],
    [70, 30],
  ],
  [
    [25, 100],
    [35, 65],
  ],
  [
    [25, 25],
    [50, 50],
  ],
  [
    [25, 0],
    [100, 0],
  ],
  [
    [0, 100],
    [0, 100],
  ],
  [
    [20, 20, 10],
    [40, 40, 20],
  ],
  [
    [20, 0, 0],
    [100, 0, 0],
  ],
  [
    [0, 0],
    [0, 0],
  ],
] as const)
  test(`${healthy.join(', ')} % healthy take ${expected.join(', ')} %`, () => {
    assert.deepEqual(percent(...healthy), expected)
  })

test('shares add up to 1, and none is more than the tier is healthy, unless all together are too few', () => {
  const tier = fc
    .tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 1000 }))
    .map(([one, other]) => ({ healthy: Math.min(one, other), total: Math.max(one, other) }))
  fc.assert(
    fc.property(
      fc.array(tier, { minLength: 1, maxLength: 6 }),
      fc.double({ min: 1, max: 3, noNaN: true }),
      (tiers, factor) => {
        const shares = healthShares(tiers, factor)
        const sum = shares.reduce((total, one) => total + one, 0)
        const isAny = tiers.some(({ healthy }) => healthy > 0)
        assert.ok(Math.abs(sum - (isAny ? 1 : 0)) < 1e-9)
        const health = tiers.map(({ healthy, total }) => (total === 0 ? 0 : Math.min(1, (factor * healthy) / total)))
        const enough = health.reduce((total, one) => total + one, 0) >= 1
        for (const [index, share] of shares.entries()) {
          if (health[index] === 0) assert.equal(share, 0)
          if (enough) assert.ok(share <= health[index]! + 1e-9)
        }
      },
    ),
    { seed: 13, numRuns: 300 },
  )
})
