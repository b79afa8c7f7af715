import type { Backend } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { backendsOf, homesOf, keysOf, names, policyOf } from './stage.ts'

const keys = keysOf(10_000)

/**
 * Keys that move although neither their old nor their new backend has changed: none, but for the places that two backends
 * of a Maglev table wish for. Up to 50 backends that is less than 1 % of the table (0.5 % was the most of all sizes).
 */
const strays = { maglev: keys.length * 0.01, ring: 0, rendezvous: 0 }

type Homes = readonly (Backend | null | undefined)[]

const moved = (before: Homes, after: Homes) => before.flatMap((home, key) => (home === after[key] ? [] : [key]))

for (const name of names) {
  describe(`keys of ${name} that move`, () => {
    for (let count = 2; count <= 50; count += count < 10 ? 1 : 8)
      test(`when one of ${count} leaves, and when it comes back`, () => {
        const policy = policyOf(name)
        const backends = backendsOf(count)
        const gone = backends[count >> 1]!
        const before = homesOf(policy.over(backends), keys)
        const without = homesOf(policy.over(backends.filter((one) => one !== gone)), keys)
        const ofGone = before.filter((home) => home === gone).length
        assert.ok(moved(before, without).length <= ofGone + strays[name])
        // Its share of the keys: 1 ÷ count, as exactly as keys and points fall.
        const slack = 5 * Math.sqrt((keys.length / count) * (1 - 1 / count))
        const points = name === 'ring' ? (5 / Math.sqrt(160)) * (keys.length / count) : 0
        assert.ok(ofGone <= keys.length / count + slack + points, `${ofGone} keys`)
        assert.ok(!without.includes(gone))
        assert.deepEqual(homesOf(policy.over(backends), keys), before)
      })

    test('when a weight grows: those that it gains, and no more', () => {
      const weights = [1, 2, 3, 1, 2, 3, 1, 2, 3]
      const before = backendsOf(weights.length, (index) => ({ weight: weights[index]! }))
      const after = backendsOf(weights.length, (index) => ({ weight: weights[index]! + Number(index === 4) }))
      const ids = (homes: Homes) => homes.map((home) => home!.id)
      const [old, now] = [
        ids(homesOf(policyOf(name).over(before), keys)),
        ids(homesOf(policyOf(name).over(after), keys)),
      ]
      const ofGrown = (homes: readonly string[]) => homes.filter((home) => home === before[4]!.id).length
      const changed = old.filter((home, key) => home !== now[key]).length
      assert.ok(ofGrown(now) > ofGrown(old))
      // Maglev deals out all places anew, by turn: some of them move between others.
      const others = name === 'maglev' ? keys.length * 0.03 : 0
      assert.ok(changed <= ofGrown(now) - ofGrown(old) + others, `${changed} keys`)
    })

    test('during slow start: none', () => {
      const policy = policyOf(name)
      const backends = backendsOf(5)
      const before = homesOf(policy.over(backends), keys)
      for (const part of [0.1, 0.35, 0.9]) {
        backends[2]!.warm(part)
        assert.deepEqual(homesOf(policy.over(backends), keys), before)
      }
    })

    test('when another server takes the place of one with the same id: none', () => {
      const at = (port: number) =>
        backendsOf(5, (index) => ({ id: `b${index}`, url: `http://10.0.0.9:${port + index}` }))
      const ids = (backends: readonly Backend[]) => homesOf(policyOf(name).over(backends), keys).map((home) => home!.id)
      assert.deepEqual(ids(at(3000)), ids(at(4000)))
    })
  })
}
