import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AnyOf } from '../../src/trip/any-of.ts'
import { Consecutive } from '../../src/trip/consecutive.ts'
import { Rate } from '../../src/trip/rate.ts'
import { RecentCalls } from '../../src/trip/recent-calls.ts'
import type { TripRule } from '../../src/trip/trip-rule.ts'

/** What a rule says of calls `[failed, duration, at]`. */
function say(rule: TripRule, calls: readonly (readonly [boolean, number, number])[]): (string | undefined)[] {
  return calls.map(([failed, duration, at]) => rule.record(failed, duration, at))
}

const failuresAt = (...times: readonly number[]) => times.map((at) => [true, 1, at] as const)

describe('consecutive', () => {
  const three = () => new Consecutive({ failures: 3, window: 10_000 })
  const reason = '3 failures in a row, at most 10 s apart'

  test('trips at the last of the row', () => {
    assert.deepEqual(say(three(), failuresAt(0, 1, 2)), [undefined, undefined, reason])
  })

  test('each may be as far from the one before as the window, and no further', () => {
    assert.deepEqual(say(three(), failuresAt(0, 10_000, 20_000)), [undefined, undefined, reason])
    assert.deepEqual(say(three(), failuresAt(0, 10_000, 20_001, 30_001)), [undefined, undefined, undefined, undefined])
    assert.equal(say(three(), failuresAt(0, 10_001, 20_001, 30_001))[3], reason)
  })

  test('a success ends the row', () => {
    const rule = three()
    say(rule, failuresAt(0, 1))
    rule.record(false, 1, 2)
    assert.deepEqual(say(rule, failuresAt(3, 4, 5)), [undefined, undefined, reason])
  })

  test('resetting ends the row', () => {
    const rule = three()
    say(rule, failuresAt(0, 1))
    rule.reset()
    assert.deepEqual(say(rule, failuresAt(2, 3, 4)), [undefined, undefined, reason])
  })

  test('without a window they may be any time apart; one failure is a row', () => {
    const rule = new Consecutive({ failures: 2, window: 0 })
    assert.deepEqual(say(rule, failuresAt(0, 86_400_000)), [undefined, '2 failures in a row'])
    assert.deepEqual(say(new Consecutive({ failures: 1, window: 10 }), failuresAt(0)), ['1 failure'])
  })
})

const rates = { minimumCalls: 1, failureShare: 0.5, slowShare: 1, slowAfter: 0 }

describe('rate over the last calls', () => {
  test('decides nothing before the minimum is there', () => {
    const rule = new Rate({ ...rates, calls: 10, minimumCalls: 4 })
    assert.deepEqual(say(rule, failuresAt(0, 0, 0, 0)), [
      undefined,
      undefined,
      undefined,
      '4 of 4 calls failed (100 % of the last 10 calls)',
    ])
  })

  test('trips at the share, and not below', () => {
    const rule = new Rate({ ...rates, calls: 4, minimumCalls: 4 })
    const said = say(rule, [
      [true, 1, 0],
      [false, 1, 0],
      [false, 1, 0],
      [false, 1, 0],
      [true, 1, 0],
      [true, 1, 0],
    ])
    // The fifth pushes the first out: one of four. The sixth makes it two of four.
    assert.deepEqual(said.slice(0, 5), Array(5).fill(undefined))
    assert.equal(said[5], '2 of 4 calls failed (50 % of the last 4 calls)')
  })

  test('those are 100 unless it is said how many', () => {
    assert.match(String(new Rate(rates).record(true, 1, 0)), /of the last 100 calls\)$/)
  })

  test('a minimum above the size of the window is that size, as in Resilience4j', () => {
    const rule = new Rate({ ...rates, calls: 2, minimumCalls: 100 })
    assert.notEqual(say(rule, failuresAt(0, 0))[1], undefined)
  })

  test('slow calls count by themselves, whether they fail or not', () => {
    const rule = new Rate({ ...rates, calls: 4, minimumCalls: 4, failureShare: 1, slowShare: 0.5, slowAfter: 200 })
    const said = say(rule, [
      [false, 200, 0],
      [false, 100, 0],
      [true, 201, 0],
      [false, 5000, 0],
    ])
    assert.deepEqual(said.slice(0, 3), [undefined, undefined, undefined])
    assert.equal(said[3], '2 of 4 calls took longer than 200 ms (50 % of the last 4 calls)')
    assert.deepEqual([rule.isSlow(200), rule.isSlow(201)], [false, true])
  })

  test('without slowAfter nothing is slow', () => {
    const rule = new Rate({ ...rates, calls: 1, slowShare: 0.1 })
    assert.equal(rule.record(false, 1e9, 0), undefined)
    assert.equal(rule.isSlow(1e9), false)
  })

  test('agrees with a plain list of the last calls', () => {
    const outcomes = fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 60 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), outcomes, (calls, minimum, all) => {
        const rule = new Rate({ calls, minimumCalls: minimum, failureShare: 0.5, slowShare: 0.5, slowAfter: 10 })
        all.forEach(([failed, slow], index) => {
          const held = all.slice(Math.max(0, index + 1 - calls), index + 1)
          const share = (which: 0 | 1) => held.filter((one) => one[which]).length / held.length
          const trips = held.length >= Math.min(minimum, calls) && (share(0) >= 0.5 || share(1) >= 0.5)
          assert.equal(rule.record(failed, slow ? 11 : 10, 0) !== undefined, trips)
        })
      }),
    )
  })
})

describe('rate over time', () => {
  test('goes by the time alone, however many calls a window by calls would hold', () => {
    const rule = new Rate({ ...rates, calls: 1, time: 1000, minimumCalls: 3 })
    const reason = '3 of 3 calls failed (100 % of the last 1 s)'
    assert.deepEqual(say(rule, failuresAt(0, 0, 0)), [undefined, undefined, reason])
  })

  test('forgets what is older than the window, a tenth at a time', () => {
    const rule = new Rate({ ...rates, time: 1000, minimumCalls: 3 })
    // The first two share a bucket, which is empty again at 1000.
    assert.deepEqual(say(rule, failuresAt(0, 99, 1000, 1001)), [undefined, undefined, undefined, undefined])
    assert.equal(rule.record(true, 1, 1999), '3 of 3 calls failed (100 % of the last 1 s)')
    assert.equal(rule.record(true, 1, 2000), undefined)
  })

  test('agrees with a plain list of calls in buckets, whatever the gaps', () => {
    const steps = fc.array(fc.tuple(fc.nat({ max: 2500 }), fc.boolean(), fc.boolean()), { maxLength: 60 })
    fc.assert(
      fc.property(fc.nat({ max: 10_000 }), steps, (beginning, all) => {
        const window = new RecentCalls(1000)
        const list: { bucket: number; failed: boolean; slow: boolean }[] = []
        let at = beginning
        for (const [gap, failed, slow] of all) {
          at += gap
          window.add(failed, slow, at)
          list.push({ bucket: Math.floor(at / 100), failed, slow })
          const held = list.filter(({ bucket }) => bucket > Math.floor(at / 100) - 10)
          assert.deepEqual(
            [window.calls, window.failed, window.slow],
            [held.length, held.filter((one) => one.failed).length, held.filter((one) => one.slow).length],
          )
        }
        window.clear()
        assert.deepEqual([window.calls, window.failed, window.slow], [0, 0, 0])
        window.add(true, false, at)
        assert.equal(window.calls, 1)
      }),
    )
  })

  test('a clock that goes back does no harm', () => {
    const window = new RecentCalls(1000)
    window.add(true, false, 5000)
    window.add(true, false, 10)
    window.add(true, false, 5000)
    assert.equal(window.calls, 3)
  })
})

describe('any of several', () => {
  test('trips when one does; all of them count', () => {
    const row = new Consecutive({ failures: 3, window: 0 })
    const share = new Rate({ ...rates, calls: 4, minimumCalls: 4, slowAfter: 10 })
    const rule = new AnyOf(row, share)
    assert.deepEqual(say(rule, failuresAt(0, 0, 0))[2], '3 failures in a row')
    assert.match(String(rule.record(false, 1, 0)), /^3 of 4 calls failed/)
    assert.deepEqual([rule.isSlow(10), rule.isSlow(11)], [false, true])
    rule.reset()
    assert.deepEqual(say(rule, failuresAt(0, 0)), [undefined, undefined])
  })

  test('of none never trips', () => {
    assert.deepEqual(say(new AnyOf(), failuresAt(0, 0, 0, 0)), Array(4).fill(undefined))
  })
})
