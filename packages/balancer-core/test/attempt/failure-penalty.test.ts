import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from 'undici'
import { ManualClock } from '../../../../test/support/clock.ts'
import { Backend } from '../../src/backends/backend.ts'
import { Penalties } from '../../src/attempt/failure-penalty.ts'

function backendOf(maxInFlight = 128): Backend {
  return new Backend('a', 'http://a.test', { weight: 1, priority: 0, maxInFlight, tags: [] }, {} as Pool)
}

test('each failure counts as one more request in flight', () => {
  const penalties = new Penalties(new ManualClock())
  const backend = backendOf()
  backend.inFlight = 2
  for (const load of [3, 4, 5]) {
    penalties.add(backend)
    assert.equal(backend.load, load)
  }
  assert.equal(backend.inFlight, 2)
})

test('the penalty halves each second, and is rounded down', () => {
  const clock = new ManualClock()
  const penalties = new Penalties(clock)
  const backend = backendOf()
  for (let count = 0; count < 21; count++) penalties.add(backend)
  const seen = [21, 10, 5, 2, 1, 0, 0]
  for (const [second, penalty] of seen.entries()) {
    assert.equal(backend.penalty, penalty, `after ${second} s`)
    clock.advance(999)
    assert.equal(backend.penalty, penalty, `before ${second + 1} s`)
    clock.advance(1)
  }
})

test('the penalty is never more than a full backend', () => {
  const penalties = new Penalties(new ManualClock())
  const backend = backendOf(8)
  for (let count = 0; count < 100; count++) penalties.add(backend)
  assert.equal(backend.penalty, 8)
})

test('one timer serves all, and only while anything is penalised', () => {
  const clock = new ManualClock()
  const penalties = new Penalties(clock)
  assert.equal(clock.pending, 0)
  const [one, other] = [backendOf(), backendOf()]
  penalties.add(one)
  penalties.add(one)
  penalties.add(other)
  assert.equal(clock.pending, 1)
  clock.advance(1000)
  assert.deepEqual([one.penalty, other.penalty, clock.pending], [1, 0, 1])
  clock.advance(1000)
  assert.deepEqual([one.penalty, other.penalty, clock.pending], [0, 0, 0])
})

test('after all is forgotten it begins again', () => {
  const clock = new ManualClock()
  const penalties = new Penalties(clock)
  const backend = backendOf()
  penalties.add(backend)
  clock.advance(1500)
  assert.equal(backend.penalty, 0)
  penalties.add(backend)
  assert.equal(backend.penalty, 1)
  clock.advance(999)
  assert.equal(backend.penalty, 1)
  clock.advance(1)
  assert.equal(backend.penalty, 0)
})

test('once stopped, no timer is left, nor set by a late failure', () => {
  const clock = new ManualClock()
  const penalties = new Penalties(clock)
  const backend = backendOf()
  penalties.add(backend)
  penalties.stop()
  assert.equal(clock.pending, 0)
  penalties.add(backend)
  assert.equal(clock.pending, 0)
})

test('stopped before anything failed, no timer is set by a late failure', () => {
  const clock = new ManualClock()
  const penalties = new Penalties(clock)
  penalties.stop()
  penalties.add(backendOf())
  assert.equal(clock.pending, 0)
})
