import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detecting, epochStart, type Detecting } from './detecting.ts'

const reason = (one: Detecting, id: string) => one.of(id).notEjected?.reason

test('the ceiling: with figures, and since when; told once', (t) => {
  const one = detecting(t, 'abcde')
  for (const id of 'abc') one.answer(id, 500, 5)
  const why =
    '5 failures in a row (last: status 500), but maxEjected (0.5) allows 2 of 5 backends, and 2 are out already'
  assert.deepEqual([one.out, one.of('c').notEjected], ['ab', { reason: why, since: epochStart + 1000 }])
  assert.deepEqual([one.of('a').notEjected, one.of('d').notEjected], [null, null])
  one.clock.advance(10_000)
  assert.deepEqual(one.of('c').notEjected, { reason: why, since: epochStart + 1000 }, 'since then')
  assert.deepEqual(one.spared, [`c: ${why}`])
})

test('it is over with the ejection, and when the backend has recovered', (t) => {
  const one = detecting(t, 'abcd', { outliers: { ejectFor: 15_000 } })
  for (const id of 'abcd') one.answer(id, 500, 5)
  assert.deepEqual([one.out, reason(one, 'c') === undefined], ['ab', false])
  one.answer('d', 200, 1)
  // At 11 s the interval ends, at 16 s a and b come back, and at 21 s c is ejected.
  one.clock.advance(10_000)
  one.answer('d', 200, 40)
  one.answer('c', 500, 1)
  one.clock.advance(10_000)
  assert.deepEqual([one.out, one.of('c').notEjected, one.of('d').notEjected], ['c', null, null])
})

test('the last healthy one', (t) => {
  const one = detecting(t, 'ab', { outliers: { maxEjected: 1 } })
  one.answer('a', 500, 5)
  one.answer('b', 500, 5)
  assert.equal(reason(one, 'b'), '5 failures in a row (last: status 500), but no other backend is healthy')
})

test('a ceiling that allows none', (t) => {
  const one = detecting(t, 'abc', { outliers: { maxEjected: 0.2 } })
  one.answer('a', 500, 5)
  assert.equal(
    reason(one, 'a'),
    '5 failures in a row (last: status 500), but maxEjected (0.2) allows none of 3 backends',
  )
})

test('panic mode', (t) => {
  const one = detecting(t, 'ab')
  for (const backend of one.balancer.backends) one.balancer.veto(backend, { by: 'me', reason: 'r' })
  one.answer('a', 500, 5)
  assert.equal(reason(one, 'a'), '5 failures in a row (last: status 500), but panic mode ignores health')
})

test('too few requests for a success rate', (t) => {
  const one = detecting(t, 'abcde')
  for (let turn = 0; turn < 4; turn++) one.answer('a', turn % 2 === 0 ? 500 : 200, 4)
  assert.equal(one.of('a').notEjected, null, 'the interval has not ended')
  one.clock.advance(10_000)
  assert.equal(
    reason(one, 'a'),
    '8 of 16 requests failed in the last interval, but success rates are compared from 100 requests on; 0 in a row, 5 would eject it',
  )
  one.clock.advance(10_000)
  assert.equal(one.of('a').notEjected, null, 'it has no traffic any more')
})

test('too few backends to compare success rates, or others that are no better', (t) => {
  const one = detecting(t, 'abcde', { outliers: { consecutive: false, latency: false } })
  const answer = (id: string, failures: number) => {
    one.answer(id, 500, failures)
    one.answer(id, 200, 100 - failures)
  }
  for (const id of 'abc') answer(id, 20)
  one.clock.advance(10_000)
  const what = '20 of 100 requests failed in the last interval, but'
  assert.equal(reason(one, 'a'), `${what} only 3 of the 5 backends that a comparison needs had 100 requests`)
  for (const id of 'abcde') answer(id, 20)
  one.clock.advance(10_000)
  assert.equal(reason(one, 'a'), `${what} the others are hardly better (mean 80.0 %): below 80.0 % it would be ejected`)
})

test('a few failures of many requests are nothing', (t) => {
  const one = detecting(t, 'abcde')
  one.answer('a', 500, 2)
  one.answer('b', 500, 4)
  one.answer('b', 200, 96)
  one.clock.advance(10_000)
  assert.deepEqual([one.of('a').notEjected, one.of('b').notEjected], [null, null])
})

test('too few peers to compare how fast it is', (t) => {
  const one = detecting(t, 'ab')
  one.answerSlowly({ a: 900, b: 100 }, 20)
  one.clock.advance(10_000)
  assert.equal(
    reason(one, 'a'),
    'p90 886 ms, 9.0 × the median of its peers (99 ms), but only 2 of the 3 backends that a comparison needs had 20 responses',
  )
  assert.equal(one.of('b').notEjected, null)
})

test('too few responses to judge how fast it is', (t) => {
  // While there is no limit, no path is known as a slow one.
  const one = detecting(t, 'abcd', { outliers: { latency: { minimumBackends: 5 } } })
  one.answerSlowly({ b: 100, c: 100, d: 100 }, 10)
  one.answerSlowly({ a: 900, b: 100, c: 100, d: 100 }, 19)
  one.clock.advance(10_000)
  assert.equal(
    reason(one, 'a'),
    'p90 886 ms, 9.0 × the median of its peers (99 ms), but with 19 responses: it is judged from 20 on',
  )
})

test('a backend that something else keeps out is not one that is spared', (t) => {
  const one = detecting(t, 'abcd')
  for (const id of 'abc') one.answer(id, 500, 5)
  assert.notEqual(one.of('c').notEjected, null)
  one.balancer.veto(one.backend('c'), { by: 'health-check', reason: 'r' })
  assert.equal(one.of('c').notEjected, null)
})
