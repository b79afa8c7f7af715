import { Balancer, failures, type Attempt, type FailureReason } from '@fastify-balancer/balancer-core'
import { Pauses } from '@fastify-balancer/option-schema'
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { AttemptRecord } from '../../../balancer-core/src/attempt/attempt-record.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { BackendCircuit } from '../../src/backend/backend-circuit.ts'
import { parseOptions, type CircuitBreakerOptions } from '../../src/options.ts'

/** A circuit of one backend, in a process that has run for a while and looks for pauses. */
function watched(t: TestContext, options: CircuitBreakerOptions = {}) {
  const clock = new ManualClock(1000)
  const balancer = new Balancer({ backends: [{ id: 'a', url: 'http://a.test' }], clock, random: () => 0.5 })
  const [backend] = balancer.backends
  const pauses = new Pauses(clock)
  pauses.start()
  const { settings } = parseOptions({ failures: 1, ...options })
  const circuit = new BackendCircuit(balancer, backend!, settings, pauses, () => {})
  clock.advance(10_000)
  t.after(async () => {
    circuit.stop()
    pauses.stop()
    await balancer.close()
  })
  /** An attempt begins now; `end` ends it, then. */
  function begin() {
    const record = Object.assign(new AttemptRecord(backend!, 1), {
      startedAt: clock.now(),
      started: true,
      uploaded: true,
    })
    const attempt = record as unknown as Attempt
    const call = circuit.start(attempt)
    return {
      call,
      respond(status = 200) {
        Object.assign(record, { status, respondedAt: clock.now() })
        if (call?.isTrial === true) circuit.judgeTrial(call, attempt)
      },
      end(outcome: 'ok' | FailureReason) {
        Object.assign(record, { outcome, endedAt: clock.now() })
        if (call !== undefined) circuit.end(call, attempt)
      },
    }
  }
  return { clock, circuit, begin, state: () => circuit.view.state }
}

describe('what is not blamed on the backend is no failure of it', () => {
  for (const reason of Object.keys(failures) as FailureReason[]) {
    if (failures[reason].blame === 'backend') continue
    test(reason, (t) => {
      const { begin, circuit, state, clock } = watched(t)
      for (let count = 0; count < 20; count++) begin().end(reason)
      assert.deepEqual([state(), circuit.view.failures], ['closed', []])
      begin().end('connect-refused')
      assert.equal(state(), 'open')
      clock.advance(10_000)
      begin().end(reason)
      assert.deepEqual([state(), circuit.view.trials, circuit.view.openings], ['half-open', 0, 1])
    })
  }
})

describe('across a pause of this process', () => {
  for (const noticed of [true, false]) {
    const how = noticed ? 'after a timer has rung' : 'before any timer rings'
    test(`failures count nothing, read ${how}; a refusal does, and so does a status`, (t) => {
      const { clock, begin, state, circuit } = watched(t)
      const reasons = ['headers-timeout', 'reset-before-headers', 'connect-timeout', 'body-truncated'] as const
      const open = reasons.map(() => begin())
      const answered = begin()
      clock.stop(5000)
      if (noticed) clock.advance(0)
      for (const [index, reason] of reasons.entries()) open[index]!.end(reason)
      assert.deepEqual([state(), circuit.view.failures], ['closed', []])
      answered.respond(503)
      answered.end('ok')
      assert.equal(state(), 'open')
      const other = watched(t)
      const refused = other.begin()
      other.clock.stop(5000)
      refused.end('connect-refused')
      assert.equal(other.state(), 'open')
    })

    test(`calls were not slow, read ${how}`, (t) => {
      const rate = { calls: 4, minimumCalls: 4, slowAfter: 200, slowShare: 0.25 }
      const { clock, begin, state } = watched(t, { failures: 0, rate })
      const open = Array.from({ length: 8 }, begin)
      clock.stop(5000)
      if (noticed) clock.advance(0)
      for (const one of open) {
        one.respond()
        one.end('ok')
      }
      assert.equal(state(), 'closed')
      clock.advance(1)
      const slow = begin()
      clock.advance(250)
      slow.respond()
      slow.end('ok')
      assert.equal(state(), 'open', 'what begins afterwards counts')
    })

    test(`a trial is not overdue, read ${how}`, (t) => {
      const { clock, begin, state, circuit } = watched(t, { openFor: 1000, trialTimeout: 2000 })
      begin().end('connect-refused')
      clock.advance(1000)
      const trial = begin()
      assert.equal(trial.call?.isTrial, true)
      clock.stop(5000)
      if (noticed) clock.advance(0)
      assert.deepEqual([state(), circuit.view.openings], ['half-open', 1])
      trial.respond()
      trial.end('ok')
      assert.equal(state(), 'closed')
    })
  }

  test('but a trial that hangs afterwards is', (t) => {
    const { clock, begin, state } = watched(t, { openFor: 1000, trialTimeout: 2000 })
    begin().end('connect-refused')
    clock.advance(1000)
    clock.pause(5000)
    clock.advance(1)
    begin()
    clock.advance(2000)
    assert.equal(state(), 'open')
  })
})
