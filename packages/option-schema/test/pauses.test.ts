import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../test/support/clock.ts'
import { Pauses } from '../src/index.ts'

test('a process that runs has no pauses, however long it does nothing', () => {
  const clock = new ManualClock(1000)
  const pauses = new Pauses(clock)
  pauses.start()
  clock.advance(100_000)
  assert.equal(pauses.happenedSince(1000, clock.now()), false)
  clock.pause(250)
  clock.advance(1000)
  assert.equal(pauses.happenedSince(1000, clock.now()), false, 'nor has one that is only busy')
})

test('a pause is known before any timer has rung, and afterwards', () => {
  const clock = new ManualClock(1000)
  const pauses = new Pauses(clock)
  pauses.start()
  clock.advance(10_000)
  const before = clock.now()
  clock.stop(3000)
  assert.equal(pauses.happenedSince(before, clock.now()), true)
  assert.equal(pauses.resumedAt(clock.now()), before + 3000)
  clock.advance(0)
  clock.advance(100)
  assert.equal(pauses.happenedSince(before, clock.now()), true)
  assert.equal(pauses.resumedAt(clock.now()), before + 3000)
  assert.equal(pauses.happenedSince(before + 3001, clock.now()), false, 'what begins later is measured')
  clock.pause(2000)
  assert.equal(pauses.resumedAt(clock.now()), before + 5100, 'also one that is noticed by a timer alone')
})

test('it leaves no timer, and sees nothing unless it has begun', () => {
  const clock = new ManualClock(1000)
  const pauses = new Pauses(clock)
  clock.stop(5000)
  assert.equal(pauses.happenedSince(0, clock.now()), false)
  pauses.start()
  pauses.start()
  assert.equal(clock.pending, 1)
  pauses.stop()
  assert.equal(clock.pending, 0)
  clock.stop(5000)
  assert.equal(pauses.happenedSince(0, clock.now()), false)
})

test('a clock that stands still itself says when it did, and no gap is seen', () => {
  const onPause = new Set<(duration: number) => void>()
  let time = 1000
  const clock = { now: () => time, setTimeout: () => undefined, clearTimeout() {}, onPause }
  const pauses = new Pauses(clock)
  pauses.start()
  time += 100
  for (const tell of onPause) tell(200)
  assert.equal(pauses.happenedSince(1000, time), false, 'a busy process')
  for (const tell of onPause) tell(3000)
  assert.equal(pauses.happenedSince(1100, time), true)
  time += 1
  assert.equal(pauses.happenedSince(1101, time), false)
  pauses.stop()
  assert.equal(onPause.size, 0)
})
