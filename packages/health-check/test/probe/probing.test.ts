import type { Backend } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import { Probing, type ProbeReport } from '../../src/probe/probing.ts'

function begun() {
  const clock = new ManualClock(1000)
  const reports: ProbeReport[] = []
  const probing = new Probing(clock, 2000, (report) => reports.push(report))
  return { clock, probing, reports }
}

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
