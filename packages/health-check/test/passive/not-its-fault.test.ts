import { failures, type FailureReason } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { detecting } from './detecting.ts'

const strict = { consecutive: { failures: 1, unreached: 1 } }

describe('what is not blamed on the backend is no failure of it', () => {
  for (const reason of Object.keys(failures) as FailureReason[]) {
    if (failures[reason].blame === 'backend') continue
    test(reason, (t) => {
      const one = detecting(t, 'abc', { outliers: strict })
      one.fail('a', reason, 20)
      // Nor where it was never sent.
      for (let count = 0; count < 20; count++) one.end(Object.assign(one.begin('a'), { started: false }), reason)
      one.clock.advance(10_000)
      const { consecutive, lastInterval } = one.of('a')
      assert.deepEqual(
        [one.out, consecutive, lastInterval],
        ['', { failures: 0, gateway: 0, unreached: 0 }, { attempts: 0, failures: 0 }],
      )
    })
  }
})

describe('across a pause of this process', () => {
  /** Passive checks in a process that has run for a while, and looks for pauses. */
  function watched(t: TestContext, ids: string) {
    const one = detecting(t, ids, { outliers: strict })
    one.pauses.start()
    one.clock.advance(10_000)
    return one
  }

  for (const noticed of [true, false]) {
    const how = noticed ? 'after a timer has rung' : 'before any timer rings'
    test(`failures count nothing, read ${how}; a refusal does, and so does a status`, (t) => {
      const one = watched(t, 'abcd')
      const reasons = ['headers-timeout', 'reset-before-headers', 'connect-timeout', 'body-truncated'] as const
      const open = reasons.map(() => one.begin('a'))
      const refused = one.begin('b')
      const answered = one.begin('c')
      one.clock.stop(5000)
      if (noticed) one.clock.advance(0)
      for (const [index, reason] of reasons.entries()) one.end(open[index]!, reason)
      assert.deepEqual([one.out, one.of('a').interval.failures], ['', 0])
      one.end(Object.assign(refused, { started: false }), 'connect-refused')
      assert.equal(one.out, 'b')
      one.respond(answered, 500)
      one.end(answered)
      assert.equal(one.out, 'bc')
      one.clock.advance(600)
      one.fail('a', 'reset-before-headers')
      assert.equal(one.of('a').interval.failures, 1, 'what begins afterwards counts')
    })

    test(`times are not measured, read ${how}`, (t) => {
      const one = watched(t, 'abc')
      one.answerSlowly({ a: 10, b: 10, c: 10 }, 20)
      const open = Array.from({ length: 20 }, () => one.begin('c'))
      one.clock.stop(5000)
      if (noticed) one.clock.advance(0)
      for (const attempt of open) {
        one.respond(attempt)
        one.end(attempt)
      }
      assert.ok(one.of('c').p90! < 11, `${one.of('c').p90}`)
      one.clock.advance(20_000)
      assert.deepEqual([one.out, one.judged], ['', ''])
    })
  }

  test('nobody was silent while nobody listened', (t) => {
    const one = watched(t, 'abc')
    one.answerSlowly({ a: 10, b: 10, c: 10 }, 20)
    one.clock.advance(490)
    const open = Array.from({ length: 10 }, () => one.begin('c'))
    one.clock.pause(5000)
    // The others are read first.
    one.answer('a')
    one.clock.advance(500)
    one.answer('b')
    assert.equal(one.out, '')
    for (const attempt of open) {
      one.respond(attempt)
      one.end(attempt)
    }
    one.clock.advance(5000)
    assert.deepEqual([one.out, one.judged], ['', ''])
  })

  test('but one that is silent afterwards is found as ever', (t) => {
    const one = watched(t, 'abc')
    one.answerSlowly({ a: 10, b: 10, c: 10 }, 20)
    for (let count = 0; count < 10; count++) one.begin('c')
    one.clock.pause(5000)
    for (let look = 0; look < 3; look++) {
      one.clock.advance(500)
      one.answer('a')
    }
    assert.equal(one.backend('c').vetoes[0]?.reason.startsWith('hanging: 10 requests have waited longer than'), true)
    const waited = (one.backend('c').vetoes[0]!.evidence as { waited: number }).waited
    assert.ok(waited < 2000, `counted from the end of the pause: ${waited}`)
    one.clock.advance(0)
  })
})
