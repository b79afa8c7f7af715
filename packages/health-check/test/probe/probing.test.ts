import type { Backend } from '@fastify-balancer/balancer-core'
import { Pauses } from '@fastify-balancer/option-schema'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import { Probing, type ProbeReport } from '../../src/probe/probing.ts'

function begun() {
  const clock = new ManualClock(1000)
  const pauses = new Pauses(clock)
  const reports: ProbeReport[] = []
  const probing = new Probing({ clock, pauses, timeout: 2000 }, (report) => reports.push(report))
  return { clock, pauses, probing, reports }
}

const reset = Object.assign(new Error('read ECONNRESET'), { syscall: 'read', code: 'ECONNRESET' })
const refused = Object.assign(new Error('connect ECONNREFUSED'), { syscall: 'connect', code: 'ECONNREFUSED' })

describe('a probe under way', () => {
  test('ends once', () => {
    const { clock, probing, reports } = begun()
    probing.good('first')
    probing.bad('second')
    clock.advance(5000)
    assert.deepEqual(
      reports.map(({ good, received }) => [good, received]),
      [[true, 'first']],
    )
    assert.equal(clock.pending, 0)
  })

  test('closes what was opened, also what was opened too late', () => {
    const { probing } = begun()
    const closed: string[] = []
    probing.closeBy(() => closed.push('first'))
    assert.equal(closed.length, 0)
    probing.bad('')
    assert.deepEqual(closed, ['first'])
    probing.closeBy(() => closed.push('second'))
    assert.deepEqual(closed, ['first', 'second'])
  })

  test('says what it waited for, and how long each part took', () => {
    const { clock, probing, reports } = begun()
    probing.awaits = 'connection'
    clock.advance(10)
    probing.connected()
    clock.advance(20.004)
    probing.responded()
    clock.advance(5000)
    assert.equal(reports[0]!.received, 'no end of the body within 2000 ms')
    assert.deepEqual(reports[0]!.timings, { connected: 10, responded: 30, took: 2000 })
  })

  test('has failed when the probe throws', () => {
    const { probing, reports } = begun()
    probing.start(() => {
      throw new TypeError('not today')
    }, {} as Backend)
    assert.equal(reports[0]!.received, 'not today')
  })
})

describe('while this process stands still', () => {
  /** As `begun`, in a process that has run for a while, and looks for pauses. */
  function watched() {
    const one = begun()
    one.pauses.start()
    one.clock.advance(1000)
    return one
  }

  test('a probe is given its whole time anew', () => {
    const { clock, probing, reports } = watched()
    clock.pause(5000)
    assert.equal(reports.length, 0, 'what came meanwhile has not been read')
    clock.advance(1999)
    assert.equal(reports.length, 0)
    probing.good('HTTP 200')
    assert.deepEqual([reports[0]!.good, reports[0]!.inconclusive], [true, undefined])
  })

  test('and no more than that: one that does not answer has failed', () => {
    const { clock, reports } = watched()
    clock.pause(5000)
    clock.advance(2000)
    assert.deepEqual(
      reports.map(({ good, inconclusive, received }) => [good, inconclusive, received]),
      [[false, undefined, 'no answer within 2000 ms']],
    )
  })

  test('again and again, it says nothing in the end', () => {
    const { clock, pauses, reports } = watched()
    for (let count = 0; count < 20 && reports.length === 0; count++) {
      clock.pause(1500)
      clock.advance(100)
    }
    assert.deepEqual(
      reports.map(({ good, inconclusive }) => [good, inconclusive]),
      [[false, 'pause']],
    )
    pauses.stop()
    assert.equal(clock.pending, 0)
  })

  test('a connection that breaks says nothing; nor does it if that is read before any timer rings', () => {
    for (const noticed of [true, false]) {
      const { clock, probing, reports } = watched()
      clock.stop(5000)
      if (noticed) clock.advance(0)
      probing.failed(reset)
      assert.deepEqual(
        [reports[0]!.good, reports[0]!.inconclusive, reports[0]!.received],
        [false, 'pause', 'read ECONNRESET, after a pause of this process'],
      )
    }
  })

  test('what is not measured in time counts: a refusal, and an answer', () => {
    const { clock, probing, reports } = watched()
    clock.pause(5000)
    probing.failed(refused)
    assert.deepEqual([reports[0]!.inconclusive, reports[0]!.received], [undefined, 'connect ECONNREFUSED'])
    const other = watched()
    other.clock.pause(5000)
    other.probing.bad('status 503 is not expected')
    assert.deepEqual([other.reports[0]!.inconclusive, other.reports[0]!.good], [undefined, false])
  })

  test('a pause before it began is of no interest', () => {
    const clock = new ManualClock(1000)
    const pauses = new Pauses(clock)
    pauses.start()
    clock.pause(5000)
    clock.advance(1)
    const reports: ProbeReport[] = []
    const timing = { clock, pauses, timeout: 2000 }
    new Probing(timing, (report) => reports.push(report)).failed(reset)
    const silent = new Probing(timing, (report) => reports.push(report))
    clock.advance(2000)
    assert.equal(silent.ended, true)
    assert.deepEqual(
      reports.map(({ inconclusive, received }) => [inconclusive, received]),
      [
        [undefined, 'read ECONNRESET'],
        [undefined, 'no answer within 2000 ms'],
      ],
    )
  })
})
