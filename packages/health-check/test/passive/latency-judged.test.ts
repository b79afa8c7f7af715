import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detecting, type Detecting, type Played } from './detecting.ts'

/** Twenty answers from each at 10 ms, so that there is a p90 to compare with: the limit is then 60 ms. */
function warm(one: Detecting, ids: string): void {
  one.answerSlowly(Object.fromEntries(ids.split('').map((id) => [id, 10])), 20)
}

/** So that it is no newcomer any more. */
function settle(one: Detecting): void {
  one.clock.advance(10_000)
}

function begin(one: Detecting, id: string, times: number): Played[] {
  return Array.from({ length: times }, () => one.begin(id))
}

test('one that is much slower than its peers is out at the next look', (t) => {
  const one = detecting(t, 'abc')
  settle(one)
  one.answerSlowly({ a: 10, b: 12, c: 400 }, 20)
  assert.equal(one.out, '')
  one.clock.advance(500)
  assert.equal(one.out, 'c')
  const [veto] = one.backend('c').vetoes
  assert.match(veto!.reason, /^p90 \d{3} ms, \d\d\.\d × the median of its peers \(11 ms\)$/)
  const { rule, p90, measured, median, limit } = veto!.evidence as Record<string, number | string>
  assert.deepEqual([rule, measured], ['latency', 20])
  for (const [actual, expected] of [
    [p90, 400],
    [median, 11],
    [limit, 61],
  ] as const)
    assert.ok(Math.abs(Number(actual) / expected - 1) < 0.03, `${actual} is within 3 % of ${expected}`)
})

test('one that is a little slower, or slower by few ms, stays', (t) => {
  const one = detecting(t, 'abc')
  settle(one)
  one.answerSlowly({ a: 100, b: 100, c: 450 }, 20)
  one.clock.advance(500)
  assert.equal(one.out, '')
  const fast = detecting(t, 'abc')
  settle(fast)
  fast.answerSlowly({ a: 1, b: 1, c: 45 }, 20)
  fast.clock.advance(500)
  assert.equal(fast.out, '')
})

test('a tenth may be slow, more may not', (t) => {
  const one = detecting(t, 'abc')
  settle(one)
  one.answerSlowly({ a: 10, b: 10, c: 10 }, 18)
  one.answerSlowly({ c: 900 }, 2)
  one.clock.advance(500)
  assert.equal(one.out, '')
  one.answerSlowly({ a: 10, b: 10, c: 300 }, 2)
  one.clock.advance(500)
  assert.equal(one.out, 'c')
})

test('a newcomer is not judged by its p90 before it was watched for an interval', async (t) => {
  const one = detecting(t, 'ab')
  settle(one)
  await one.balancer.add({ id: 'c', url: 'http://c.test' })
  one.answerSlowly({ a: 10, b: 10, c: 400 }, 20)
  one.clock.advance(9_000)
  assert.equal(one.out, '')
  one.answerSlowly({ a: 10, b: 10, c: 400 }, 20)
  one.clock.advance(1_000)
  assert.equal(one.out, 'c')
})

test('nor is one whose veto has just ended', (t) => {
  const one = detecting(t, 'abc', { outliers: { ejectFor: 1000 } })
  settle(one)
  one.answerSlowly({ a: 10, b: 10, c: 400 }, 20)
  one.clock.advance(1600)
  assert.equal(one.judged, 'c- c+')
  one.answerSlowly({ a: 10, b: 10, c: 400 }, 20)
  one.clock.advance(9_000)
  assert.equal(one.judged, '')
  one.answerSlowly({ a: 10, b: 10, c: 400 }, 20)
  one.clock.advance(1_000)
  assert.equal(one.judged, 'c-')
})

test('too few backends, too little volume: not judged', (t) => {
  const two = detecting(t, 'ab')
  settle(two)
  two.answerSlowly({ a: 10, b: 900 }, 20)
  const little = detecting(t, 'abcd')
  settle(little)
  little.answerSlowly({ a: 10, b: 10, c: 10, d: 900 }, 19)
  little.answerSlowly({ a: 10, b: 10, c: 10 }, 1)
  for (const one of [two, little]) {
    one.clock.advance(2000)
    assert.equal(one.out, '')
  }
})

test('it can be turned off', (t) => {
  const one = detecting(t, 'abc', { outliers: { latency: { factor: 0 } } })
  settle(one)
  one.answerSlowly({ a: 10, b: 12, c: 900 }, 20)
  begin(one, 'c', 50)
  for (let index = 0; index < 20; index++) {
    one.clock.advance(500)
    one.answer('a')
  }
  assert.equal(one.out, '')
})

test('what is too late for headers counts with its time; what fails otherwise does not count as fast', (t) => {
  const one = detecting(t, 'abc', { outliers: { consecutive: { failures: 0 } } })
  settle(one)
  warm(one, 'abc')
  const waiting = begin(one, 'c', 3)
  one.clock.advance(400)
  for (const attempt of waiting) one.end(attempt, 'headers-timeout')
  one.fail('c', 'reset-before-headers', 40)
  one.clock.advance(100)
  assert.match(one.backend('c').vetoes[0]!.reason, /^p90 /)
})

test('one that accepts and never answers is out within two looks', (t) => {
  const one = detecting(t, 'abc')
  warm(one, 'abc')
  begin(one, 'c', 3)
  // Began at 1010 ms; looks at 1500, 2000 …
  one.clock.advance(480)
  one.answer('a')
  one.clock.advance(10)
  assert.equal(one.out, '')
  one.clock.advance(490)
  one.answer('a')
  one.clock.advance(10)
  assert.equal(one.out, 'c')
  const [veto] = one.backend('c').vetoes
  assert.equal(
    veto!.reason,
    'hanging: 3 requests have waited longer than 60 ms, the longest 990 ms, and none got a response (median p90 of its peers 9.8 ms)',
  )
  assert.deepEqual(one.of('c').ejected?.rule, veto!.reason)
})

/** Plays looks, at each of which `a` has just answered. */
function look(one: Detecting, times: number): void {
  for (let index = 0; index < times; index++) {
    const untilLook = 500 - ((one.clock.now() - 1000) % 500)
    one.clock.advance(untilLook - 1)
    one.answer('a')
    one.clock.advance(1)
  }
}

test('two that wait are too few', (t) => {
  const one = detecting(t, 'abc')
  warm(one, 'abc')
  begin(one, 'c', 2)
  look(one, 6)
  assert.equal(one.out, '')
  one.begin('c')
  look(one, 2)
  assert.equal(one.out, 'c')
})

test('an answer between the looks is a sign of life', (t) => {
  const one = detecting(t, 'abc')
  warm(one, 'abc')
  const waiting = begin(one, 'c', 12)
  for (let index = 0; index < 4; index++) {
    look(one, 1)
    one.respond(waiting.pop()!)
    begin(one, 'c', 3)
  }
  assert.equal(one.out, '')
  look(one, 2)
  assert.equal(one.out, 'c')
})

test('long polls beside answered requests are no silence', (t) => {
  const one = detecting(t, 'abc')
  warm(one, 'abc')
  begin(one, 'c', 20)
  one.clock.advance(1)
  one.answer('c')
  look(one, 20)
  assert.equal(one.out, '')
})

test('when nobody answers it is not the fault of one', (t) => {
  const one = detecting(t, 'abc')
  warm(one, 'abc')
  for (const id of 'abc') begin(one, id, 5)
  one.clock.advance(5000)
  assert.equal(one.out, '')
})

test('one that the client keeps waiting with its body does not count; one that waits for a connection does', (t) => {
  const one = detecting(t, 'abc')
  warm(one, 'abc')
  for (const attempt of begin(one, 'c', 10)) attempt.uploaded = false
  look(one, 4)
  assert.equal(one.out, '')
  for (const attempt of begin(one, 'c', 3)) Object.assign(attempt, { uploaded: false, started: false })
  look(one, 2)
  assert.equal(one.out, 'c')
})

test('how long the client takes for its body is not held against the backend', (t) => {
  const one = detecting(t, 'abc')
  settle(one)
  const uploads = Array.from({ length: 20 }, () => one.beginUpload('c'))
  one.clock.advance(400)
  for (const attempt of uploads) one.upload(attempt)
  one.answerSlowly({ a: 10, b: 10 }, 20)
  for (const attempt of uploads) {
    one.respond(attempt)
    one.end(attempt)
  }
  const { p90 } = one.of('c')
  assert.ok(p90! > 9 && p90! < 11, `${p90} ms`)
  one.clock.advance(2000)
  assert.equal(one.out, '')
})

test('how long the backend takes after it is', (t) => {
  const one = detecting(t, 'abc')
  settle(one)
  const uploads = Array.from({ length: 20 }, () => one.beginUpload('c'))
  one.answerSlowly({ a: 10, b: 10 }, 20)
  for (const attempt of uploads) one.upload(attempt)
  one.clock.advance(400)
  for (const attempt of uploads) {
    one.respond(attempt)
    one.end(attempt)
  }
  one.clock.advance(500)
  assert.equal(one.out, 'c')
})

test('an answer that comes before the end of the body says nothing of the time', (t) => {
  const one = detecting(t, 'abc')
  const attempt = one.beginUpload('c')
  one.clock.advance(400)
  one.respond(attempt)
  one.upload(attempt)
  one.end(attempt)
  assert.deepEqual([one.of('c').p90, one.of('c').interval], [null, { attempts: 1, failures: 0 }])
})

test('what is too late for headers counts from the end of its body', (t) => {
  const one = detecting(t, 'abc')
  const attempt = one.beginUpload('c')
  one.clock.advance(4000)
  one.upload(attempt)
  one.clock.advance(100)
  one.end(attempt, 'headers-timeout')
  const { p90 } = one.of('c')
  assert.ok(p90! > 97 && p90! < 103, `${p90} ms`)
})

test('silence too is counted from the end of the body', (t) => {
  const one = detecting(t, 'abc')
  one.answerSlowly({ a: 400, b: 400, c: 400 }, 20)
  // The limit is about 2 s; the uploads take 8 s, and end 100 ms after a look.
  const uploads = Array.from({ length: 3 }, () => one.beginUpload('c'))
  look(one, 16)
  one.clock.advance(100)
  for (const attempt of uploads) one.upload(attempt)
  look(one, 4)
  assert.equal(one.out, '')
  look(one, 2)
  assert.equal(one.out, 'c')
  // The uploads end at 9.1 s, the veto is laid at 12 s.
  assert.match(
    one.backend('c').vetoes[0]!.reason,
    /^hanging: 3 requests have waited longer than 1974 ms, the longest 2900 ms/,
  )
})

test('when it is full, nobody can begin: all that wait count', (t) => {
  const backends = ['a', 'b', 'c'].map((id) => ({ id, url: `http://${id}.test`, maxInFlight: 2 }))
  const one = detecting(t, 'abc', { balancer: { backends } })
  warm(one, 'abc')
  begin(one, 'c', 2)
  const answered = one.begin('c')
  one.clock.advance(1)
  one.respond(answered)
  one.end(answered)
  assert.equal(one.backend('c').inFlight, 2)
  look(one, 2)
  assert.equal(one.out, 'c')
})

test('one that is full and answers now and then is not silent', (t) => {
  const backends = ['a', 'b', 'c'].map((id) => ({ id, url: `http://${id}.test`, maxInFlight: 4 }))
  const one = detecting(t, 'abc', { balancer: { backends } })
  one.answerSlowly({ a: 400, b: 400, c: 400 }, 20)
  // The limit is about 2 s.
  const waiting = begin(one, 'c', 5)
  look(one, 4)
  one.clock.advance(1)
  const answered = waiting.pop()!
  one.respond(answered)
  one.end(answered)
  look(one, 4)
  assert.deepEqual([one.out, one.backend('c').inFlight], ['', 4])
  look(one, 1)
  assert.equal(one.out, 'c')
})

test('of two slow ones under a ceiling of one, the slower is out', (t) => {
  const one = detecting(t, 'abcdefg', { outliers: { maxEjected: 0.2 } })
  settle(one)
  one.answerSlowly({ a: 10, b: 10, c: 10, d: 10, e: 10, f: 300, g: 390 }, 20)
  one.clock.advance(500)
  assert.equal(one.out, 'g')
})

test('what waits since before its last veto is not held against it again', (t) => {
  const one = detecting(t, 'abc', { outliers: { ejectFor: 1000 } })
  warm(one, 'abc')
  begin(one, 'c', 3)
  look(one, 2)
  assert.equal(one.judged, 'c-')
  look(one, 8)
  assert.deepEqual([one.judged, one.of('c').waiting], ['c+', 3])
})

test('a request that ended without an answer waits no more', (t) => {
  const one = detecting(t, 'abc')
  warm(one, 'abc')
  for (const attempt of begin(one, 'c', 3)) one.end(attempt, 'client-gone')
  const refused = one.begin('c')
  Object.assign(refused, { status: 700, respondedAt: one.clock.now() })
  one.end(refused, 'bad-response')
  assert.deepEqual([one.of('c').waiting, one.of('c').longestWait], [0, 0])
  look(one, 4)
  assert.equal(one.out, '')
})

test('one that hangs comes before one that is slow, when only one may be out', (t) => {
  const one = detecting(t, 'abcde', { outliers: { maxEjected: 0.2 } })
  settle(one)
  warm(one, 'abcde')
  begin(one, 'c', 3)
  const slow = begin(one, 'b', 20)
  look(one, 1)
  one.clock.advance(100)
  for (const attempt of slow) {
    one.respond(attempt)
    one.end(attempt)
  }
  assert.equal(one.judged, '')
  look(one, 1)
  assert.deepEqual([one.judged, one.of('b').withheld === null], ['c-', false])
})
