import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../../../test/support/clock.ts'
import { StallWatch } from '../../../src/exchange/limits/stall-watch.ts'

/** A watch of 1000 ms over something that is waited for until it is told otherwise. */
function watching(clock = new ManualClock(50_000)) {
  const state = { clock, waiting: true, stalls: 0 }
  const watch = new StallWatch(
    clock,
    1000,
    () => state.waiting,
    () => state.stalls++,
  )
  return Object.assign(state, { watch })
}

test('tells when nothing has moved for so long, and not before', () => {
  const state = watching()
  state.clock.advance(999)
  assert.equal(state.stalls, 0)
  state.clock.advance(1)
  assert.equal(state.stalls, 1)
})

test('tells once, and sets no timer after that', () => {
  const state = watching()
  state.clock.advance(1000)
  assert.equal(state.clock.pending, 0)
  state.clock.advance(100_000)
  assert.equal(state.stalls, 1)
})

test('counts from the last time that something moved', () => {
  const state = watching()
  for (let step = 0; step < 20; step++) {
    state.clock.advance(700)
    state.watch.progress()
  }
  assert.equal(state.stalls, 0)
  state.clock.advance(999)
  assert.equal(state.stalls, 0)
  state.clock.advance(1)
  assert.equal(state.stalls, 1)
})

test('progress sets no timer: there is one at any time', () => {
  const state = watching()
  for (let step = 0; step < 100; step++) {
    state.watch.progress()
    assert.equal(state.clock.pending, 1)
    state.clock.advance(30)
  }
})

test('while nothing is waited for, nothing stalls', () => {
  const state = watching()
  state.waiting = false
  state.clock.advance(10_000)
  assert.equal(state.stalls, 0)
  assert.equal(state.clock.pending, 1)
})

test('what is waited for again has its whole time', () => {
  const state = watching()
  state.waiting = false
  state.clock.advance(1000)
  // As whoever pauses and resumes does it: progress is told with the change.
  state.clock.advance(500)
  state.waiting = true
  state.watch.progress()
  state.clock.advance(999)
  assert.equal(state.stalls, 0)
  state.clock.advance(1)
  assert.equal(state.stalls, 1)
})

test('once stopped, it tells nothing and leaves no timer', () => {
  const state = watching()
  state.clock.advance(500)
  state.watch.stop()
  assert.equal(state.clock.pending, 0)
  state.clock.advance(10_000)
  assert.equal(state.stalls, 0)
})
