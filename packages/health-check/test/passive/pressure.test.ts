import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detecting, epochStart } from './detecting.ts'

/** Where 429 means the backend itself. */
const bothHeeded = { heed: '429-and-503' } as const
const heedingBoth = (...[t, ids, { pressure, ...settings } = {}]: Parameters<typeof detecting>) =>
  detecting(t, ids, { ...settings, pressure: { ...bothHeeded, ...pressure } })

for (const heed of [undefined, '503', false] as const) {
  test(`429 is about one client: with heed ${heed} it pauses nobody, and is neither success nor failure, nor fast`, (t) => {
    const one = detecting(t, 'abc', { pressure: heed === undefined ? {} : { heed } })
    one.answer('a', 500, 4)
    one.answer('a', 429, 100, { 'retry-after': '60' })
    one.answer('b', 429, 100)
    const { consecutive, interval } = one.of('a')
    assert.deepEqual([consecutive.failures, interval], [4, { attempts: 4, failures: 4 }])
    assert.deepEqual([one.of('b').interval.attempts, one.of('b').p90], [0, null])
    assert.deepEqual([one.out, one.judged], ['', ''])
    one.answer('a', 500)
    assert.equal(one.backend('a').vetoes[0]?.by, 'outlier-detection')
  })
}

test('429 makes no pause longer that a 503 was granted', (t) => {
  const one = detecting(t, 'abc')
  one.answer('a', 503, 1, { 'retry-after': '1' })
  one.answer('a', 429, 1, { 'retry-after': '9' })
  assert.equal(one.of('a').paused?.until, epochStart + 2000)
})

test('429 without a hint: left alone for a second, and told so', (t) => {
  const one = heedingBoth(t, 'abc')
  one.answer('a', 429)
  const [veto, ...others] = one.backend('a').vetoes
  assert.ok(veto !== undefined && others.length === 0)
  assert.deepEqual([veto.by, veto.hard, veto.reason], ['pressure', false, 'status 429 without a readable retry-after'])
  const until = epochStart + 2000
  const evidence = { status: 429, hinted: false, asked: null, granted: 1000, until }
  assert.deepEqual([veto.evidence, one.of('a').paused], [evidence, { until }])
  one.clock.advance(999)
  assert.equal(one.out, 'a')
  one.clock.advance(1)
  assert.equal(one.out, '')
  assert.deepEqual(
    one.judgements.map(({ by, good, rule, at }) => [by, good, rule, at - epochStart]),
    [
      ['pressure', false, veto.reason, 1000],
      ['pressure', true, 'pause is over', 2000],
    ],
  )
})

// The clock stands at 2026-03-01 00:00:01.
const table: readonly [status: number, field: string | undefined, duration: number][] = [
  [429, '3', 3000],
  [429, '10', 10_000],
  [429, '11', 10_000],
  [429, '9'.repeat(400), 10_000],
  [429, 'Sun, 01 Mar 2026 00:00:05 GMT', 4000],
  [429, 'Mon, 01 Mar 2027 00:00:05 GMT', 10_000],
  [429, 'Sun, 01 Mar 2026 00:00:00 GMT', 1000],
  [429, '0', 1000],
  [429, 'soon', 1000],
  [503, '2', 2000],
  [503, '0', 0],
  [503, 'Sun, 01 Mar 2026 00:00:00 GMT', 0],
  [503, 'soon', 1000],
  [503, '', 1000],
  [503, undefined, 0],
  [500, '2', 0],
  [200, '2', 0],
  [301, '2', 0],
  [413, '2', 0],
]
for (const [status, field, duration] of table) {
  test(`${status} with retry-after ${field?.slice(0, 40)}: ${duration} ms`, (t) => {
    const one = heedingBoth(t, 'abc')
    one.answer('a', status, 1, field === undefined ? {} : { 'retry-after': field })
    assert.equal(one.out, duration > 0 ? 'a' : '')
    if (duration === 0) return
    one.clock.advance(duration - 1)
    assert.equal(one.out, 'a')
    one.clock.advance(1)
    assert.equal(one.out, '')
  })
}

test('it is neither a failure nor a success, nor fast', (t) => {
  const one = heedingBoth(t, 'abcd')
  one.answer('a', 500, 4)
  one.answer('a', 429, 100)
  one.answer('a', 503, 100, { 'retry-after': '1' })
  for (const status of [429, 503]) {
    const attempt = one.begin('a')
    one.respond(attempt, status, { 'retry-after': '1' })
    one.end(attempt, status === 429 ? 'body-truncated' : 'client-gone')
  }
  const { consecutive, interval } = one.of('a')
  assert.deepEqual([consecutive.failures, consecutive.gateway, interval], [4, 0, { attempts: 4, failures: 4 }])
  one.answer('b', 429, 100)
  assert.equal(one.of('b').p90, null)
  assert.deepEqual([one.out, one.judged], ['ab', 'a- b-'])
  one.clock.advance(1000)
  assert.deepEqual([one.out, one.judged], ['', 'a+ b+'])
  one.answer('a', 500)
  assert.equal(one.out, 'a')
})

test('503 that asks for no pause is a failure', (t) => {
  for (const headers of [
    {},
    { 'retry-after': '0' },
    { 'retry-after': 'Sun, 01 Mar 2026 00:00:00 GMT' },
    { 'retry-after': '00' },
  ]) {
    const one = heedingBoth(t, 'abc')
    one.answer('a', 503, 5, headers)
    assert.deepEqual(
      one.backend('a').vetoes.map(({ by, reason }) => [by, reason]),
      [['outlier-detection', '5 failures in a row (last: status 503)']],
    )
  }
})

test('503 that asks for none is a failure also while a pause lasts', (t) => {
  const one = heedingBoth(t, 'abc')
  one.answer('a', 503, 1, { 'retry-after': '2' })
  one.answer('a', 503, 1, { 'retry-after': '0' })
  one.answer('a', 503)
  assert.deepEqual([one.of('a').consecutive.failures, one.of('a').interval], [2, { attempts: 2, failures: 2 }])
})

test('503 that outlasts the pause it was granted stays pressure', (t) => {
  const one = heedingBoth(t, 'abc')
  const attempt = one.begin('a')
  one.respond(attempt, 503, { 'retry-after': '1' })
  one.clock.advance(5000)
  assert.equal(one.out, '')
  one.end(attempt)
  assert.equal(one.of('a').interval.attempts, 0)
})

test('503 whose pause the ceiling refuses is a failure, for every rule; 429 is none', (t) => {
  const one = heedingBoth(t, 'abc', { outliers: { consecutive: { gateway: 3 } } })
  one.answer('a', 429)
  one.answer('b', 429, 50, { 'retry-after': '5' })
  assert.deepEqual([one.out, one.of('b').interval.attempts], ['a', 0])
  one.answer('b', 503, 3, { 'retry-after': '5' })
  const { consecutive, interval, withheld } = one.of('b')
  assert.deepEqual(
    [one.out, consecutive.gateway, interval, withheld?.rule],
    ['a', 3, { attempts: 3, failures: 3 }, '3 gateway errors in a row (last: status 503)'],
  )
  one.clock.advance(10_000)
  assert.deepEqual([one.out, one.backend('b').vetoes[0]?.by], ['b', 'outlier-detection'])
})

test('503 of the last available one is a failure', (t) => {
  const one = heedingBoth(t, 'a')
  one.answer('a', 503, 4, { 'retry-after': '5' })
  assert.deepEqual([one.out, one.of('a').consecutive.failures], ['', 4])
})

test('503 that asks for a pause is a failure where none is ever granted', (t) => {
  for (const pressure of [{ cap: 0 }, { byDefault: 0 }]) {
    const one = heedingBoth(t, 'abc', { pressure })
    one.answer('a', 503, 5, { 'retry-after': 'soon' })
    assert.equal(one.backend('a').vetoes[0]?.by, 'outlier-detection')
  }
})

test('a new hint makes it longer, never shorter, and lays no second veto', (t) => {
  const one = heedingBoth(t, 'abc')
  const late = one.begin('a')
  one.answer('a', 429, 1, { 'retry-after': '4' })
  const [veto] = one.backend('a').vetoes
  one.clock.advance(1000)
  one.answer('a', 429, 1, { 'retry-after': '1' })
  assert.equal(one.of('a').paused?.until, epochStart + 5000)
  one.respond(late, 503, { 'retry-after': '5' })
  one.end(late)
  assert.deepEqual(one.backend('a').vetoes, [veto])
  const until = epochStart + 7000
  assert.deepEqual([one.of('a').paused, (veto!.evidence as { until: number }).until], [{ until }, until])
  one.clock.advance(4999)
  assert.deepEqual([one.out, one.judged], ['a', 'a-'])
  one.clock.advance(1)
  assert.deepEqual([one.out, one.judged], ['', 'a+'])
})

test('it acts when the headers are there, before the response has ended', (t) => {
  const one = heedingBoth(t, 'abc')
  const attempt = one.begin('a')
  one.respond(attempt, 429)
  assert.equal(one.out, 'a')
  one.end(attempt)
})

test('a client that is limited everywhere does not take the whole set out', (t) => {
  const one = heedingBoth(t, 'abcd')
  for (const id of 'abcdabcd') one.answer(id, 429, 5)
  assert.deepEqual([one.out, one.judged], ['ab', 'a- b-'])
})

test('outliers and pressure share one ceiling, and one backend may be out for both', (t) => {
  const one = heedingBoth(t, 'abcd')
  one.answer('a', 429)
  one.answer('b', 429)
  one.answer('a', 500, 5)
  one.answer('c', 429)
  one.answer('d', 500, 5)
  assert.deepEqual([one.out, one.judged], ['ab', 'a- b- a-'])
  one.clock.advance(1000)
  assert.deepEqual([one.out, one.judged], ['a', 'a+ b+'])
  one.answer('c', 429)
  assert.equal(one.out, 'ac')
})

test('the last available one is not left alone', (t) => {
  const one = heedingBoth(t, 'ab', { outliers: { maxEjected: 1 } })
  one.balancer.veto(one.backend('a'), { by: 'health-check', reason: 'down' })
  one.answer('b', 429)
  assert.deepEqual([one.out, one.judged], ['a', ''])
})

test('how long is granted can be set, and whether', (t) => {
  const short = heedingBoth(t, 'abc', { pressure: { cap: 50, byDefault: 20 } })
  short.answer('a', 429)
  assert.equal(short.of('a').paused?.until, epochStart + 1020)
  short.answer('a', 429, 1, { 'retry-after': '60' })
  assert.equal(short.of('a').paused?.until, epochStart + 1050)
  const deaf = detecting(t, 'abc', { pressure: { heed: false } })
  deaf.answer('a', 503, 5, { 'retry-after': '60' })
  assert.equal(deaf.backend('a').vetoes[0]?.by, 'outlier-detection')
  for (const pressure of [{ byDefault: 0 }, { cap: 0 }]) {
    const none = heedingBoth(t, 'abc', { pressure })
    none.answer('a', 429)
    assert.equal(none.out, '')
  }
})
