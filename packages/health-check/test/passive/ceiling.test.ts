import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitsCeiling, mostOut } from '../../src/passive/ceiling.ts'

test('the share is rounded down', () => {
  const half = [0, 1, 2, 3, 4, 5, 10].map((total) => mostOut(total, 0.5))
  assert.deepEqual(half, [0, 0, 1, 1, 2, 2, 5])
  assert.deepEqual([mostOut(100, 0.29), mostOut(10, 0.1), mostOut(9, 0.1), mostOut(30, 0.1)], [29, 1, 0, 3])
  assert.deepEqual([mostOut(7, 1), mostOut(7, 0)], [7, 0])
})

test('one more may be out up to the ceiling, and not above', () => {
  assert.equal(fitsCeiling({ total: 4, out: 0, hasOther: true }, 0.5), true)
  assert.equal(fitsCeiling({ total: 4, out: 1, hasOther: true }, 0.5), true)
  assert.equal(fitsCeiling({ total: 4, out: 2, hasOther: true }, 0.5), false)
  assert.equal(fitsCeiling({ total: 9, out: 0, hasOther: true }, 0.1), false)
})

test('the last one is never out, whoever keeps the others out', () => {
  assert.equal(fitsCeiling({ total: 1, out: 0, hasOther: false }, 1), false)
  assert.equal(fitsCeiling({ total: 4, out: 0, hasOther: false }, 0.5), false)
  assert.equal(fitsCeiling({ total: 4, out: 2, hasOther: true }, 1), true)
  assert.equal(fitsCeiling({ total: 4, out: 3, hasOther: false }, 1), false)
})
