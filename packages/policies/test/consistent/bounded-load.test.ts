import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Bounds } from '../../src/consistent/bounds.ts'
import { InFlight } from '../../src/consistent/in-flight.ts'
import { asking, backendsOf, keysOf, names, policyOf } from './stage.ts'

/** The slots of each backend by its weight, when `inFlight` requests are at the first. */
function slotsOf(factor: number, inFlight: number, ...weights: number[]): number[] {
  const backends = backendsOf(weights.length, (index) => ({ weight: weights[index]! }))
  backends[0]!.inFlight = inFlight
  const counted = new InFlight()
  counted.over(backends)
  const bounds = new Bounds(backends, counted, factor)
  bounds.update()
  return backends.map((_, index) => bounds.slotsOf(index))
}

test("slots are those of Envoy's formula", () => {
  // ((in flight + 1) × percent + 99) ÷ 100 in whole numbers, × weight ÷ all weights, rounded up, at least 1.
  assert.deepEqual(slotsOf(1.25, 0, 1, 1), [1, 1])
  assert.deepEqual(slotsOf(1.25, 3, 1, 1), [3, 3])
  assert.deepEqual(slotsOf(1.25, 99, 1, 1, 1, 1), [32, 32, 32, 32])
  assert.deepEqual(slotsOf(1.5, 99, 1, 2, 3), [25, 50, 75])
  assert.deepEqual(slotsOf(1, 9, 1, 1, 3), [2, 2, 6])
  assert.deepEqual(slotsOf(2, 0, 1, 1, 1, 1), [1, 1, 1, 1])
  // 1.1 × 10 is 11.000000000000002 in binary, and 11 here.
  assert.deepEqual(slotsOf(1.1, 9, 1), [11])
  assert.deepEqual(slotsOf(1.25, 7, 65_535, 1), [10, 1])
})

for (const name of names) {
  describe(`bounded load of ${name}`, () => {
    test('one hot key: no backend ever has more than its slots', () => {
      const backends = backendsOf(5, (index) => ({ weight: 1 + (index % 3) }))
      const policy = policyOf(name, { balance: 1.25 })
      const total = backends.reduce((sum, { weight }) => sum + weight, 0)
      for (let sent = 0; sent < 300; sent++) {
        const picked = policy.over(backends).pick(asking('hot'))!
        picked.inFlight++
        const slots = Math.floor(((sent + 1) * 125 + 99) / 100)
        assert.ok(picked.inFlight <= Math.ceil((slots * picked.weight) / total), `request ${sent}`)
      }
      // So it takes four fifths of the weight, at least.
      const used = backends.filter(({ inFlight }) => inFlight > 0)
      assert.ok(used.reduce((sum, { weight }) => sum + weight, 0) >= total / 1.25)
    })

    test('a factor of 1 keeps all at their shares, and off lets one have everything', () => {
      const even = backendsOf(4)
      const policy = policyOf(name, { balance: 1 })
      for (let sent = 0; sent < 100; sent++) policy.over(even).pick(asking('hot'))!.inFlight++
      assert.deepEqual(
        even.map(({ inFlight }) => inFlight),
        [25, 25, 25, 25],
      )
      const free = backendsOf(4)
      const unbounded = policyOf(name, { balance: false }).over(free)
      for (let sent = 0; sent < 100; sent++) unbounded.pick(asking('hot'))!.inFlight++
      assert.deepEqual(
        free.map(({ inFlight }) => inFlight).toSorted((one, other) => one - other),
        [0, 0, 0, 100],
      )
    })

    test('who comes too many goes to the next of the key, and back to its own when there is room', () => {
      const backends = backendsOf(5)
      const policy = policyOf(name)
      const [first, second, third] = [0, 1, 2].map((asked) => policy.over(backends).pick(asking('a'), asked)!)
      // (8 + 1) × 1.25 = 12 slots, 3 for each.
      first!.inFlight = 8
      assert.equal(policy.over(backends).pick(asking('a')), second)
      assert.equal(policy.over(backends).pick(asking('a'), 1), third)
      first!.inFlight = 2
      second!.inFlight = 6
      assert.equal(policy.over(backends).pick(asking('a')), first)
    })

    test('bounds give way when all below theirs are full', () => {
      const backends = backendsOf(4, () => ({ maxInFlight: 9 }))
      const policy = policyOf(name)
      const [first, ...others] = [0, 1, 2, 3].map((asked) => policy.over(backends).pick(asking('a'), asked)!)
      first!.inFlight = 8
      for (const other of others) {
        other.limit = 1
        other.inFlight = 1
      }
      // (11 + 1) × 1.25 = 15 slots, 4 for each: the first has twice as many, and room for one.
      assert.equal(policy.over(backends).pick(asking('a')), first)
      first!.inFlight = 9
      assert.equal(policy.over(backends).pick(asking('a')), undefined)
    })

    test('in slow start, a backend gets its keys as its weight grows', () => {
      const backends = backendsOf(4)
      const policy = policyOf(name)
      const warming = policy.over(backends).pick(asking('a'))!
      for (const other of backends) if (other !== warming) other.inFlight = 20
      const most = (part: number) => {
        warming.warm(part)
        warming.inFlight = 0
        const picker = policy.over(backends)
        while (picker.pick(asking('a')) === warming) warming.inFlight++
        return warming.inFlight
      }
      // With x requests it has ceil(floor(((61 + x) × 125 + 99) ÷ 100) × part ÷ (3 + part)) slots, and takes them all.
      const slots = (part: number, had: number) =>
        Math.ceil((Math.floor(((61 + had) * 125 + 99) / 100) * part) / (3 + part))
      const parts = [0.1, 0.5, 1]
      const counts = parts.map(most)
      for (const [index, count] of counts.entries()) {
        assert.equal(slots(parts[index]!, count), count)
        assert.ok(slots(parts[index]!, count - 1) > count - 1)
      }
      assert.deepEqual(counts, [3, 14, 28])
    })

    test('the same answer for every key, whatever the loads, as long as they are the same', () => {
      const backends = backendsOf(9)
      for (const [index, backend] of backends.entries()) backend.inFlight = (index * 5) % 7
      const picker = policyOf(name).over(backends)
      const picks = keysOf(100).map((key) => picker.pick(asking(key)))
      assert.deepEqual(
        keysOf(100).map((key) => picker.pick(asking(key))),
        picks,
      )
    })
  })
}
