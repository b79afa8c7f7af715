import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IntervalCounts } from '../../../src/passive/observed/interval-counts.ts'

function shares({ active, ended }: IntervalCounts): string {
  return `${ended.failures}/${ended.attempts} then ${active.failures}/${active.attempts}`
}

test('what ends counts in its interval, stays for one more, and is forgotten', () => {
  const counts = new IntervalCounts()
  counts.count(false)
  counts.count(true)
  assert.equal(shares(counts), '0/0 then 1/2')
  counts.next()
  assert.equal(shares(counts), '1/2 then 0/0')
  counts.count(true)
  assert.equal(shares(counts), '1/2 then 1/1')
  counts.next()
  assert.equal(shares(counts), '1/1 then 0/0')
  counts.next()
  assert.equal(shares(counts), '0/0 then 0/0')
})

test('durations of both intervals make the p90', () => {
  const counts = new IntervalCounts()
  assert.deepEqual([counts.measured, counts.p90], [0, undefined])
  for (let index = 0; index < 9; index++) counts.measure(100)
  counts.next()
  counts.measure(900)
  assert.equal(counts.measured, 10)
  assert.ok(Math.abs(counts.p90! - 100) < 3)
  counts.measure(900)
  assert.ok(Math.abs(counts.p90! - 900) < 27)
  counts.next()
  assert.equal(counts.measured, 2)
  counts.next()
  assert.deepEqual([counts.measured, counts.p90], [0, undefined])
})

test('clearing forgets both', () => {
  const counts = new IntervalCounts()
  counts.count(true)
  counts.measure(5)
  counts.next()
  counts.count(true)
  counts.measure(5)
  counts.clear()
  assert.equal(shares(counts), '0/0 then 0/0')
  assert.equal(counts.measured, 0)
})
