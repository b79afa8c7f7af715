import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { asking, backendsOf, homesOf, inner, keysOf, names, policyOf } from './stage.ts'

/** Five standard deviations of how many of `count` keys fall into a share, if they fall at random. */
const deviation = (count: number, share: number) => 5 * Math.sqrt(count * share * (1 - share))

for (const name of names) {
  describe(`policy ${name}`, () => {
    test('is called by its name', () => {
      assert.equal(policyOf(name).name, name)
    })

    test('picks nothing from an empty set, and the only one of a single set', () => {
      const empty = policyOf(name).over([])
      assert.equal(empty.pick(asking('a')), undefined)
      assert.equal(empty.peek(asking('a')), undefined)
      assert.equal(empty.pick(asking(undefined)), undefined)
      assert.deepEqual(empty.basis?.(asking('a')), { key: 'header x-key' })
      const [only] = backendsOf(1)
      assert.equal(policyOf(name).over([only!]).pick(asking('a')), only)
    })

    test('the same key goes to the same backend, whatever is asked in between', () => {
      const policy = policyOf(name)
      const backends = backendsOf(7)
      const picker = policy.over(backends)
      const keys = keysOf(50)
      const before = homesOf(picker, keys)
      for (const key of keysOf(500)) picker.pick(asking(key), 2)
      picker.pick(asking(undefined))
      assert.deepEqual(homesOf(picker, keys), before)
      // Nor is the order of the list of importance, nor a set in between.
      homesOf(policy.over(backends.slice(2)), keys)
      assert.deepEqual(homesOf(policy.over(backends.toReversed()), keys), before)
      assert.deepEqual(homesOf(policyOf(name).over(backends), keys), before)
    })

    test('keys spread by weight', () => {
      const keys = keysOf(10_000)
      for (const weights of [
        [1, 1, 1, 1],
        [5, 1, 1],
        [1, 2, 3, 4, 5],
      ]) {
        const backends = backendsOf(weights.length, (index) => ({ weight: weights[index]! }))
        const picker = policyOf(name).over(backends)
        const homes = homesOf(picker, keys)
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        for (const [index, backend] of backends.entries()) {
          const share = picker.details!(backend)['share'] as number
          const exact = weights[index]! / total
          // k points at random have their share with a deviation of 1 ÷ √k; a table of 65 537 places differs by some.
          const slack = name === 'ring' ? 5 / Math.sqrt(160 * weights[index]!) : 0.001
          assert.ok(Math.abs(share - exact) <= exact * slack + 0.0001, `${backend.id}: ${share} of ${exact}`)
          const count = homes.filter((home) => home === backend).length
          assert.ok(Math.abs(count - share * keys.length) <= deviation(keys.length, share), `${backend.id}: ${count}`)
        }
      }
    })

    test('the order of a key has each backend once, and is the same each time', () => {
      const backends = backendsOf(6)
      const picker = policyOf(name).over(backends)
      const orders = new Set<string>()
      for (const key of keysOf(100)) {
        const order = backends.map((_, asked) => picker.pick(asking(key), asked)!.id)
        assert.equal(new Set(order).size, backends.length)
        assert.equal(picker.pick(asking(key), backends.length), undefined)
        const again = backends.map((_, asked) => picker.pick(asking(key), asked)!.id)
        assert.deepEqual(again, order)
        orders.add(order.slice(0, 2).join())
      }
      // The keys of one backend do not all go on to the same next one.
      assert.ok(orders.size > 20, `${orders.size} orders`)
    })

    test('a full backend is passed over for the next in order, and so is one that has gone', () => {
      const backends = backendsOf(6, () => ({ maxInFlight: 10 }))
      const policy = policyOf(name, { balance: false })
      const order = backends.map((_, asked) => policy.over(backends).pick(asking('a'), asked)!)
      order[0]!.inFlight = 10
      assert.equal(policy.over(backends).pick(asking('a')), order[1])
      order[1]!.inFlight = 10
      assert.equal(policy.over(backends).pick(asking('a')), order[2])
      assert.equal(policy.over(backends).pick(asking('a'), 1), order[3])
      order[0]!.inFlight = 0
      assert.equal(policy.over(backends).pick(asking('a')), order[0])
      for (const backend of backends) backend.inFlight = 10
      assert.equal(policy.over(backends).pick(asking('a')), undefined)
      for (const backend of backends) backend.inFlight = 0
      if (name === 'maglev') return
      assert.equal(policy.over(backends.filter((one) => one !== order[0])).pick(asking('a')), order[1])
    })

    test('a request without a key is for the inner policy', () => {
      const backends = backendsOf(5)
      const picker = policyOf(name).over(backends)
      for (const request of [asking(undefined), asking('')]) {
        assert.equal(picker.pick(request), backends.at(-1))
        assert.equal(picker.peek(request), backends.at(-1))
        assert.deepEqual(picker.basis!(request), { key: null, policy: inner.name, turn: 1 })
        assert.equal(picker.accepts!(request, backends.at(-1)!), true)
      }
      assert.equal(picker.accepts!(asking('a'), backends.at(-1)!), false)
    })

    test('peek tells what pick answers, and nothing that is asked changes it', () => {
      const backends = backendsOf(5)
      const policy = policyOf(name)
      const picker = policy.over(backends)
      for (const [index, key] of keysOf(200).entries()) {
        const told = picker.peek(asking(key))
        picker.basis!(asking(key))
        for (const backend of backends) {
          picker.score!(backend)
          picker.details!(backend)
        }
        assert.equal(picker.peek(asking(key), 3), told)
        assert.equal(picker.pick(asking(key)), told)
        backends[index % 5]!.inFlight = (index * 7) % 4
      }
    })

    test('leaves the list it is given as it is', () => {
      const backends = Object.freeze(backendsOf(5).toReversed())
      const order = backends.map(({ id }) => id)
      homesOf(policyOf(name).over(backends), keysOf(10))
      assert.deepEqual(
        backends.map(({ id }) => id),
        order,
      )
    })

    test('tells the hash of a key, its order and the bounds, and never the key', () => {
      const [a, b] = backendsOf(2)
      const picker = policyOf(name).over([a!, b!])
      const basis = picker.basis!(asking('secret-session'))
      assert.equal(basis['key'], 'header x-key')
      assert.match(String(basis['hash']), /^[\da-f]{8}$/)
      assert.equal(basis['order'], [0, 1].map((asked) => picker.pick(asking('secret-session'), asked)!.id).join(', '))
      assert.ok(!JSON.stringify(basis).includes('secret'))
      a!.inFlight = 3
      // (3 + 1) × 1.25 = 5 slots, 3 of them for each.
      assert.equal(picker.score!(a!), 1)
      assert.deepEqual({ ...picker.details!(a!), share: 0 }, { share: 0, load: 3, bound: 3 })
      const [foreign] = backendsOf(1)
      assert.deepEqual(picker.details!(foreign!), { share: 0 })
      assert.equal(picker.score!(foreign!), Infinity)
    })
  })
}
