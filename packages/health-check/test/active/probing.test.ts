import type { Backend } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { describe as suite, test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import { describe, Probing, type ProbeReport } from '../../src/active/probing.ts'

function begun() {
  const clock = new ManualClock(1000)
  const reports: ProbeReport[] = []
  const probing = new Probing(clock, 2000, (report) => reports.push(report))
  return { clock, probing, reports }
}

suite('a probe under way', () => {
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

const indescribable = 'an error that cannot be described'

function throwing(name: string): object {
  return Object.defineProperty({}, name, {
    get() {
      throw new Error('boom')
    },
  })
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

suite('an error in few words', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED ::1:80'), { syscall: 'connect', code: 'ECONNREFUSED' })
  for (const [what, error, words] of [
    ['of the system', refused, 'connect ECONNREFUSED'],
    ['of several addresses', new AggregateError([refused, refused], ''), 'connect ECONNREFUSED'],
    ['of none', new AggregateError([], 'nothing'), 'nothing'],
    ['with a message', new Error('socket hang up'), 'socket hang up'],
    ['with a code only', Object.assign(new Error(''), { code: 'ERR_X' }), 'ERR_X'],
    ['that is null', null, 'null'],
    ['that has no words', Object.assign(Object.create(null), { code: 42 }), indescribable],
    ['of several without words', new AggregateError([Object.create(null)], ''), indescribable],
    ['whose words throw', { toString: 5, valueOf: 5 }, indescribable],
    ['whose message throws', throwing('message'), indescribable],
    ['whose code throws', throwing('code'), indescribable],
    ['that is a revoked proxy', revoked(), indescribable],
  ] as const) {
    test(what, () => assert.equal(describe(error), words))
  }
})
