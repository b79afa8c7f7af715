import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detecting, epochStart, type Detecting } from './detecting.ts'

/** Fails until it is out. */
function eject(one: Detecting, id: string): void {
  one.clock.advance(1)
  one.answer(id, 500, 5)
}

test('a veto ends with its time, and both ends are told', (t) => {
  const one = detecting(t, 'abc')
  one.answer('a', 500, 5)
  one.clock.advance(29_999)
  assert.deepEqual([one.out, one.judged], ['a', 'a-'])
  one.clock.advance(1)
  assert.equal(one.out, '')
  const [{ rule, evidence, ...rest }] = one.judgements as [(typeof one.judgements)[0]]
  assert.deepEqual(rest, { id: 'a', at: epochStart + 31_000, by: 'outlier-detection', good: true })
  assert.equal(rule, 'ejection time is over')
  assert.equal((evidence as { timesEjected: number }).timesEjected, 1)
})

test('the second time is twice as long, up to the cap', (t) => {
  const one = detecting(t, 'abc', { outliers: { ejectFor: 30_000, maxEjectFor: 70_000 } })
  for (const duration of [30_000, 60_000, 70_000, 70_000]) {
    eject(one, 'a')
    const from = one.clock.now()
    assert.equal(one.of('a').ejected?.until, epochStart + from + duration)
    one.clock.advance(duration - 1)
    assert.equal(one.out, 'a')
    one.clock.advance(1)
    assert.equal(one.out, '')
  }
})

test('chance makes it longer', (t) => {
  const one = detecting(t, 'abc', { outliers: { jitter: 0.2 } })
  one.answer('a', 500, 5)
  assert.equal(one.of('a').ejected?.until, epochStart + 1000 + 33_000)
})

test('each whole good interval forgives one time; the one in which it came back does not', (t) => {
  const one = detecting(t, 'abc', { outliers: { ejectFor: 1000 } })
  // Intervals end at 11 s, 21 s, 31 s …
  for (let times = 1; times <= 3; times++) {
    eject(one, 'a')
    assert.equal(one.of('a').timesEjected, times)
    one.clock.advance(times * 1000)
  }
  assert.equal(one.clock.now(), 7003)
  one.clock.advance(3998)
  assert.deepEqual([one.clock.now(), one.of('a').timesEjected], [11_001, 3])
  one.clock.advance(9998)
  assert.equal(one.of('a').timesEjected, 3)
  one.clock.advance(1)
  assert.deepEqual([one.clock.now(), one.of('a').timesEjected], [21_000, 2])
  one.clock.advance(20_000)
  assert.equal(one.of('a').timesEjected, 0)
  one.clock.advance(20_000)
  assert.equal(one.of('a').timesEjected, 0)
  assert.equal(one.of('a').everEjected, 3)
})

test('nor does an interval that began under the veto', (t) => {
  const one = detecting(t, 'abc', { outliers: { ejectFor: 15_000 } })
  eject(one, 'a')
  const seen: number[] = []
  for (const until of [11_000, 21_000, 30_999, 31_000]) {
    one.clock.advance(until - one.clock.now())
    seen.push(one.of('a').timesEjected)
  }
  assert.deepEqual(seen, [1, 1, 1, 0])
})

test('an interval at whose end others keep it out forgives nothing', (t) => {
  const one = detecting(t, 'abc', { outliers: { ejectFor: 1000 } })
  eject(one, 'a')
  one.clock.advance(10_000)
  const drain = one.balancer.veto(one.backend('a'), { by: 'drain', reason: 'drained', hard: true })
  one.clock.advance(30_000)
  assert.equal(one.of('a').timesEjected, 1)
  drain.lift()
  one.clock.advance(10_000)
  assert.equal(one.of('a').timesEjected, 0)
})

test('an interval in which only the ceiling stood before a veto forgives nothing', (t) => {
  const one = detecting(t, 'abc', { outliers: { ejectFor: 1000 } })
  eject(one, 'a')
  // 12 s: the interval in which it was out has ended.
  one.clock.advance(11_000)
  assert.deepEqual([one.out, one.of('a').timesEjected], ['', 1])
  eject(one, 'b')
  one.answer('a', 500, 5)
  assert.ok(one.of('a').withheld !== null)
  one.answer('a')
  one.clock.advance(10_000)
  assert.deepEqual([one.out, one.of('a').timesEjected, one.of('a').withheld], ['', 1, null])
  one.clock.advance(10_000)
  assert.equal(one.of('a').timesEjected, 0)
})

test('what began before the veto counts nothing, during it and after', (t) => {
  const one = detecting(t, 'abcd')
  const late = Array.from({ length: 40 }, () => one.begin('a'))
  one.clock.advance(1)
  one.answer('a', 500, 5)
  assert.equal(one.judged, 'a-')
  for (const attempt of late.splice(0, 20)) {
    one.respond(attempt, 500)
    one.end(attempt)
  }
  one.clock.advance(30_000)
  assert.deepEqual([one.out, one.judged], ['', 'a+'])
  for (const attempt of late) {
    one.respond(attempt, 500)
    one.end(attempt)
  }
  const { consecutive, interval, p90, waiting } = one.of('a')
  assert.deepEqual(
    { consecutive, interval, p90, waiting },
    {
      consecutive: { failures: 0, gateway: 0, unreached: 0 },
      interval: { attempts: 0, failures: 0 },
      p90: null,
      waiting: 0,
    },
  )
  assert.equal(one.judged, '')
})

test('after a veto counting begins anew, and a late success does not end a new row', (t) => {
  const one = detecting(t, 'abc', { outliers: { ejectFor: 1000 } })
  one.clock.advance(1)
  const late = one.begin('a')
  one.clock.advance(1)
  one.answer('a', 500, 5)
  one.clock.advance(1001)
  one.answer('a', 500, 4)
  assert.equal(one.out, '')
  one.respond(late, 200)
  one.end(late)
  assert.equal(one.of('a').consecutive.failures, 4)
  one.answer('a', 500)
  assert.equal(one.out, 'a')
})

test('not more than the share is out, and that is shown; the interval asks again', (t) => {
  const one = detecting(t, 'abcd', { outliers: { ejectFor: 15_000 } })
  one.answer('a', 500, 5)
  one.answer('b', 500, 5)
  one.answer('c', 500, 7)
  assert.deepEqual([one.out, one.judged], ['ab', 'a- b-'])
  assert.deepEqual(one.of('c').withheld, {
    at: epochStart + 1000,
    rule: '5 failures in a row (last: status 500)',
  })
  assert.equal(one.of('c').timesEjected, 0)
  // 11 s: the interval ends, a and b are still out. 16 s: they come back. 21 s: c's turn.
  one.clock.advance(10_000)
  assert.deepEqual([one.out, one.of('c').withheld?.at], ['ab', epochStart + 11_000])
  one.answer('c', 500, 1)
  one.clock.advance(9_999)
  assert.equal(one.out, '')
  one.clock.advance(1)
  assert.equal(one.out, 'c')
  assert.equal(one.backend('c').vetoes[0]?.reason, '8 failures in a row (last: status 500)')
})

test('a row of failures ejects nobody later, once a place is free, if none has followed since', (t) => {
  const one = detecting(t, 'abcd', { outliers: { ejectFor: 15_000 } })
  for (const id of 'abc') one.answer(id, 500, 7)
  one.clock.advance(120_000)
  assert.deepEqual([one.out, one.of('c').timesEjected, one.of('c').notEjected], ['', 0, null])
  one.answer('c', 500, 1)
  assert.equal(one.out, 'c')
})

test('one backend alone is never out; of two, one is', (t) => {
  for (const maxEjected of [0.5, 1]) {
    const alone = detecting(t, 'a', { outliers: { maxEjected } })
    alone.answer('a', 500, 20)
    assert.deepEqual([alone.out, alone.judged], ['', ''])
    const two = detecting(t, 'ab', { outliers: { maxEjected } })
    two.answer('a', 500, 5)
    two.answer('b', 500, 20)
    assert.deepEqual([two.out, two.judged], ['a', 'a-'])
  }
})

test('the last available one is not taken out, whoever keeps the others out', (t) => {
  const one = detecting(t, 'abcd', { outliers: { maxEjected: 1 } })
  one.balancer.veto(one.backend('a'), { by: 'health-check', reason: 'down' })
  one.balancer.veto(one.backend('b'), { by: 'drain', reason: 'drained', hard: true })
  one.answer('c', 500, 5)
  assert.equal(one.out, 'abc')
  one.answer('d', 500, 50)
  assert.equal(one.out, 'abc')
  assert.ok(one.of('d').withheld !== null)
})

test('in panic the ignored vetoes stay the only ones', (t) => {
  const one = detecting(t, 'abcd', { balancer: { panicThreshold: 0.9 } })
  one.answer('a', 500, 5)
  assert.equal(one.balancer.set.panicking, true)
  one.clock.advance(10)
  one.answer('a', 500, 50)
  assert.deepEqual([one.backend('a').vetoes.length, one.of('a').interval.attempts], [1, 0])
  const probe = one.balancer.veto(one.backend('b'), { by: 'health-check', reason: 'down' })
  one.answer('b', 500, 5)
  assert.deepEqual(one.backend('b').vetoes, [probe])
  assert.ok(one.of('b').withheld !== null)
  probe.lift()
  one.answer('a', 200, 50)
  one.clock.advance(30_000)
  // The row of b still stood when the interval ended.
  assert.deepEqual([one.judged, one.of('a').interval.attempts], ['a- b- a+', 0])
})

test('nothing is out when the share is 0', (t) => {
  const one = detecting(t, 'abcdefghij', { outliers: { maxEjected: 0 } })
  for (const id of 'abcdefghij') one.answer(id, 500, 10)
  one.press('a')
  assert.deepEqual([one.out, one.judged], ['', ''])
})

test('a probe that reaches it refutes that it cannot be reached, and nothing else', (t) => {
  const one = detecting(t, 'abcd')
  one.fail('a', 'connect-refused', 3)
  one.answer('b', 500, 5)
  one.detection.goodProbe(one.backend('a'), false)
  one.detection.goodProbe(one.backend('b'), false)
  one.detection.goodProbe(one.backend('c'), true)
  assert.deepEqual([one.out, one.judged], ['b', 'a- b- a+'])
  assert.equal(one.of('a').timesEjected, 1)
})

test('a probe that turns from down to up lifts any veto of passive checks, and of nobody else', (t) => {
  const one = detecting(t, 'abcd')
  one.press('a')
  one.answer('a', 500, 5)
  const drain = one.balancer.veto(one.backend('a'), { by: 'drain', reason: 'drained', hard: true })
  assert.equal(one.judged, 'a- a-')
  one.detection.goodProbe(one.backend('a'), true)
  assert.deepEqual([one.backend('a').vetoes, one.judged], [[drain], 'a+ a+'])
})

test('probes lift nothing where that is turned off', (t) => {
  const one = detecting(t, 'abc', { outliers: { probeLifts: false } })
  one.fail('a', 'connect-refused', 3)
  one.detection.goodProbe(one.backend('a'), false)
  one.detection.goodProbe(one.backend('a'), true)
  assert.equal(one.out, 'a')
})

test('by hand both are lifted, and how often stays', (t) => {
  const one = detecting(t, 'abc')
  one.answer('a', 500, 5)
  assert.equal(one.detection.lift(one.backend('a')), true)
  assert.equal(one.detection.lift(one.backend('a')), false)
  assert.deepEqual([one.out, one.judged, one.of('a').timesEjected], ['', 'a- a+', 1])
  one.clock.advance(1)
  one.press('a')
  assert.equal(one.detection.lift(one.backend('a')), true)
  assert.equal(one.out, '')
})

test('a veto that somebody else lifts is over', (t) => {
  const one = detecting(t, 'abc')
  one.answer('a', 500, 5)
  one.backend('a').vetoes[0]!.lift()
  one.clock.advance(500)
  assert.deepEqual([one.out, one.judged, one.of('a').ejected], ['', 'a- a+', null])
  one.clock.advance(1)
  one.answer('a', 500, 5)
  assert.equal(one.out, 'a')
})

test('nor is a pause that somebody else has ended', (t) => {
  const one = detecting(t, 'abc')
  one.press('a', 10)
  one.backend('a').vetoes[0]!.lift()
  one.clock.advance(500)
  assert.deepEqual([one.judged, one.of('a').paused], ['a- a+', null])
})

test('one that has left is judged no more, and its pause is over', async (t) => {
  const one = detecting(t, 'abc', { balancer: { drainDeadline: 0 } })
  const [gone] = one.balancer.backends
  one.press('a')
  const late = Array.from({ length: 10 }, () => one.begin('a'))
  await one.balancer.remove('a')
  assert.deepEqual([gone!.vetoes, one.judged], [[], 'a-'])
  for (const attempt of late) {
    one.respond(attempt, 500)
    one.end(attempt)
  }
  const last = Object.assign(late[0]!, { status: 503, headers: { 'retry-after': '1' } })
  one.detection.attemptResponded(last as never)
  assert.deepEqual([gone!.vetoes, one.judged], [[], ''])
})

test('a backend that leaves takes everything with it', async (t) => {
  const one = detecting(t, 'abcd', { balancer: { drainDeadline: 0 } })
  one.answer('a', 500, 5)
  one.press('b')
  const [gone] = one.balancer.backends
  const late = one.begin('a')
  const pending = one.clock.pending
  await one.balancer.remove('a')
  assert.deepEqual([one.clock.pending, gone!.vetoes], [pending - 1, []])
  one.respond(late, 503, { 'retry-after': '1' })
  one.end(late)
  for (let index = 0; index < 10; index++) one.detection.attemptEnded(Object.assign(late, { status: 500 }) as never)
  assert.deepEqual([one.out, one.judged, gone!.vetoes], ['b', 'a- b-', []])
  await one.balancer.add({ id: 'a', url: 'http://a.test' })
  assert.equal(one.of('a').timesEjected, 0)
})

test('when the set shrinks, those come back that were due first', async (t) => {
  const one = detecting(t, 'abcdef')
  for (const id of ['c', 'a', 'b']) {
    one.answer(id, 500, 5)
    one.clock.advance(10)
  }
  assert.equal(one.judged, 'c- a- b-')
  await one.balancer.remove('f', { force: true })
  assert.deepEqual([one.out, one.judged], ['ab', 'c+'])
  await one.balancer.setBackends(['a', 'b', 'c'].map((id) => ({ id, url: `http://${id}.test` })))
  assert.deepEqual([one.out, one.judged], ['b', 'a+'])
  await one.balancer.setBackends([{ id: 'b', url: 'http://b.test' }], { force: true })
  assert.deepEqual([one.out, one.judged], ['', 'b+'])
})

test('when only outliers remain, one comes back, also where all might be out', async (t) => {
  const one = detecting(t, 'abc', { outliers: { maxEjected: 1 }, balancer: { panicThreshold: false } })
  one.answer('a', 500, 5)
  one.clock.advance(10)
  one.answer('b', 500, 5)
  one.judgements.length = 0
  await one.balancer.remove('c', { force: true })
  assert.deepEqual([one.out, one.judged], ['b', 'a+'])
})

test('one that others keep out as well does not come back for want of another', async (t) => {
  const one = detecting(t, 'abc')
  one.answer('a', 500, 5)
  for (const id of ['a', 'b']) one.balancer.veto(one.backend(id), { by: 'drain', reason: 'drained', hard: true })
  one.judgements.length = 0
  await one.balancer.remove('c', { force: true })
  assert.deepEqual([one.judged, one.backend('a').vetoes.length], ['', 2])
})

test('stopping takes back vetoes and timers, and nothing is judged any more', (t) => {
  const one = detecting(t, 'abcd')
  one.answer('a', 500, 5)
  one.press('b')
  one.judgements.length = 0
  one.detection.stop()
  assert.deepEqual([one.out, one.clock.pending, one.judged], ['', 0, ''])
  one.clock.advance(1)
  one.answer('a', 500, 5)
  one.press('b')
  assert.deepEqual([one.out, one.clock.pending, one.judged], ['', 0, ''])
  one.detection.start()
  one.detection.start()
  assert.equal(one.clock.pending, 1)
})
