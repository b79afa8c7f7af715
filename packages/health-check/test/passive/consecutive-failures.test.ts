import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detecting, epochStart } from './detecting.ts'

test('five failures in a row lay a soft veto that says why', (t) => {
  const one = detecting(t, 'abc')
  one.answer('a', 500, 4)
  assert.deepEqual([one.out, one.of('a').consecutive.failures], ['', 4])
  one.answer('a', 501)
  const [veto, ...others] = one.backend('a').vetoes
  assert.ok(veto !== undefined && others.length === 0)
  assert.deepEqual(
    [veto.by, veto.reason, veto.hard],
    ['outlier-detection', '5 failures in a row (last: status 501)', false],
  )
  const at = epochStart + 1000
  const evidence = {
    rule: 'failures',
    count: 5,
    threshold: 5,
    recent: [500, 500, 500, 500, 501].map((what) => ({ at, what })),
    timesEjected: 1,
    until: at + 30_000,
  }
  assert.deepEqual(veto.evidence, evidence)
  assert.deepEqual(one.judgements, [{ id: 'a', at, by: 'outlier-detection', good: false, rule: veto.reason, evidence }])
  assert.deepEqual(JSON.parse(JSON.stringify(evidence)), evidence)
  assert.deepEqual(one.of('a').ejected, { until: at + 30_000, rule: veto.reason })
})

test('a success begins the row anew', (t) => {
  const one = detecting(t, 'abc')
  for (const status of [200, 101, 302, 404, 499]) {
    one.answer('a', 500, 4)
    one.answer('a', status)
  }
  assert.equal(one.out, '')
})

test('what the client or this side did says nothing, neither way', (t) => {
  const one = detecting(t, 'abc')
  one.answer('a', 500, 4)
  for (const outcome of [
    'client-gone',
    'client-stalled',
    'request-timeout',
    'stale-connection',
    'drain-deadline',
  ] as const)
    one.fail('a', outcome, 10)
  assert.deepEqual([one.out, one.of('a').consecutive.failures, one.of('a').interval.attempts], ['', 4, 4])
  const streaming = one.begin('a')
  one.respond(streaming, 200)
  one.end(streaming, 'client-gone')
  assert.deepEqual([one.out, one.of('a').consecutive.failures, one.of('a').interval.attempts], ['', 4, 4])
  one.answer('a', 500)
  assert.equal(one.out, 'a')
})

test('a status that is a failure counts though the client or this side cut the body', (t) => {
  const one = detecting(t, 'abc')
  const outcomes = ['client-gone', 'client-stalled', 'request-timeout', 'drain-deadline', 'client-gone'] as const
  for (const [index, outcome] of outcomes.entries()) {
    const attempt = one.begin('a')
    one.respond(attempt, 500 + index)
    assert.equal(one.of('a').consecutive.failures, index, 'it counts once, at its end')
    one.end(attempt, outcome)
  }
  assert.equal(one.backend('a').vetoes[0]?.reason, '5 failures in a row (last: status 504)')
  assert.deepEqual(
    (one.backend('a').vetoes[0]!.evidence as { recent: { what: unknown }[] }).recent.map(({ what }) => what),
    [500, 501, 502, 503, 504],
  )
})

test('a response that breaks off is a failure, whatever its status', (t) => {
  const one = detecting(t, 'abc')
  for (let index = 0; index < 5; index++) {
    const attempt = one.begin('a')
    one.respond(attempt, 200)
    one.end(attempt, index === 4 ? 'body-truncated' : 'body-timeout')
  }
  assert.equal(one.backend('a').vetoes[0]?.reason, '5 failures in a row (last: body-truncated)')
})

test('three attempts that do not reach it are enough', (t) => {
  const one = detecting(t, 'abc')
  one.fail('a', 'connect-timeout', 2)
  one.fail('a', 'reset-before-headers', 1)
  one.fail('a', 'connect-refused', 1)
  assert.equal(one.out, '')
  one.answer('a')
  one.fail('a', 'dns-failed', 2)
  assert.equal(one.out, '')
  one.fail('a', 'connect-refused', 1)
  assert.equal(one.backend('a').vetoes[0]?.reason, '3 connects in a row failed (last: connect-refused)')
})

test('gateway failures have a limit of their own, if one is set', (t) => {
  const one = detecting(t, 'abc', { outliers: { consecutive: { gateway: 2 } } })
  one.answer('a', 502)
  one.answer('a', 500)
  one.answer('a', 503)
  assert.equal(one.out, '')
  one.answer('a', 504)
  assert.equal(one.backend('a').vetoes[0]?.reason, '2 gateway errors in a row (last: status 504)')
})

test('every limit can be turned off', (t) => {
  const one = detecting(t, 'abc', { outliers: { consecutive: { failures: 0, unreached: 0 } } })
  one.fail('a', 'connect-refused', 50)
  one.answer('a', 502, 50)
  assert.equal(one.out, '')
})

test('the row does not end with the interval', (t) => {
  const one = detecting(t, 'abc')
  one.answer('a', 500, 4)
  one.clock.advance(60_000)
  one.answer('a', 500)
  assert.equal(one.out, 'a')
})

test('rows of several backends are their own', (t) => {
  const one = detecting(t, 'abcd')
  for (let index = 0; index < 4; index++) for (const id of ['a', 'b', 'c']) one.answer(id, 500)
  assert.equal(one.out, '')
  one.answer('c', 500)
  assert.equal(one.out, 'c')
})
