import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'node:test'
import { divide } from '../../src/limits/division.ts'

const parties = fc
  .array(fc.record({ wants: fc.nat(60), takesRest: fc.boolean() }), { minLength: 1, maxLength: 8 })
  .map((all) => all.map((one, index) => ({ ...one, id: `i${index}` })))

const sum = (numbers: Iterable<number>) => [...numbers].reduce((all, one) => all + one, 0)

test('all places are given and no more, each party gets 1 at least, and what it wants as far as the others leave it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), parties, (total, all) => {
      const shares = divide(total, all)
      assert.equal(sum(shares.values()), Math.max(total, all.length))
      const isEnough = sum(all.map(({ wants }) => Math.max(1, wants))) <= total
      const fair = Math.floor(total / all.length)
      for (const { id, wants } of all) {
        const share = shares.get(id)!
        assert.ok(share >= 1)
        assert.ok(share >= (isEnough ? wants : Math.min(wants, fair)), `${id} wants ${wants}, got ${share}`)
      }
    }),
  )
})

test('what nobody wants is divided evenly over those that take it', () => {
  const shares = divide(20, [
    { id: 'a', wants: 0, takesRest: true },
    { id: 'b', wants: 9, takesRest: true },
    { id: 'c', wants: 4, takesRest: false },
  ])
  assert.deepEqual(Object.fromEntries(shares), { a: 4, b: 12, c: 4 })
})

test('of too little, those that want least get all of it', () => {
  const shares = divide(20, [
    { id: 'a', wants: 100, takesRest: true },
    { id: 'b', wants: 3, takesRest: true },
    { id: 'c', wants: 50, takesRest: true },
  ])
  assert.deepEqual(Object.fromEntries(shares), { b: 3, c: 8, a: 9 })
})

test('it is the same in whatever order the parties come', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), parties, (total, all) => {
      const plain = (shares: ReadonlyMap<string, number>) => Object.fromEntries(shares)
      assert.deepEqual(plain(divide(total, all.toReversed())), plain(divide(total, all)))
    }),
  )
})
