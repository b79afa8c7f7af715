import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentFailures } from '../../../src/passive/observed/recent-failures.ts'

test('the last five are kept, the oldest first', () => {
  const recent = new RecentFailures()
  assert.deepEqual([recent.list(), recent.last], [[], undefined])
  recent.add(1, 500)
  recent.add(2, 'connect-refused')
  assert.deepEqual(recent.list(), [
    { at: 1, what: 500 },
    { at: 2, what: 'connect-refused' },
  ])
  assert.equal(recent.last, 'connect-refused')
  for (let at = 3; at <= 7; at++) recent.add(at, 500 + at)
  assert.deepEqual(
    recent.list(),
    [3, 4, 5, 6, 7].map((at) => ({ at, what: 500 + at })),
  )
  assert.equal(recent.last, 'status 507')
})

test('after they were forgotten it begins anew, and a list that was taken stays', () => {
  const recent = new RecentFailures()
  for (let at = 1; at <= 7; at++) recent.add(at, 500)
  const before = recent.list()
  recent.clear()
  assert.deepEqual([recent.list(), recent.last], [[], undefined])
  recent.add(8, 'headers-timeout')
  assert.deepEqual(recent.list(), [{ at: 8, what: 'headers-timeout' }])
  assert.deepEqual(
    before.map(({ at }) => at),
    [3, 4, 5, 6, 7],
  )
})
