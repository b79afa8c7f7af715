import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { ManualClock } from '../../../../../test/support/clock.ts'
import type { FailureReason } from '../../../src/failure.ts'
import { TimeLimits } from '../../../src/exchange/limits/time-limits.ts'

function limited(idle = 1000) {
  const clock = new ManualClock()
  const failures: FailureReason[] = []
  const limits = new TimeLimits({ clock, fail: (reason) => void failures.push(reason) }, idle)
  return { clock, failures, limits }
}

test('a limit fails what it limits, for its own reason, when its time has come', () => {
  const { clock, failures, limits } = limited()
  limits.start('request-timeout', 500)
  limits.start('queue-timeout', 200)
  clock.advance(199)
  assert.deepEqual(failures, [])
  clock.advance(1)
  assert.deepEqual(failures, ['queue-timeout'])
  clock.advance(300)
  assert.deepEqual(failures, ['queue-timeout', 'request-timeout'])
  assert.equal(clock.pending, 0)
})

test('a limit of 0 is none', () => {
  const { clock, limits } = limited()
  limits.start('request-timeout', 0)
  assert.equal(clock.pending, 0)
})

test('one that is stopped does nothing more, and the others stay', () => {
  const { clock, failures, limits } = limited()
  limits.start('request-timeout', 500)
  limits.start('queue-timeout', 200)
  limits.stop('queue-timeout')
  limits.stop('continue-timeout')
  assert.equal(clock.pending, 1)
  clock.advance(500)
  assert.deepEqual(failures, ['request-timeout'])
})

test('all can be stopped at once', () => {
  const { clock, failures, limits } = limited()
  limits.stopAll()
  limits.start('request-timeout', 500)
  limits.start('queue-timeout', 200)
  limits.watchFlush({ writableLength: 5 } as ServerResponse)
  assert.equal(clock.pending, 3)
  limits.stopAll()
  assert.equal(clock.pending, 0)
  clock.advance(5000)
  assert.deepEqual(failures, [])
})

test('what is left to be flushed must get less, or the client has stalled', () => {
  const { clock, failures, limits } = limited()
  const response = { writableLength: 1000 }
  limits.watchFlush(response as ServerResponse)
  for (const left of [900, 500, 499, 1]) {
    response.writableLength = left
    clock.advance(1000)
  }
  assert.deepEqual(failures, [])
  clock.advance(1000)
  assert.deepEqual(failures, ['client-stalled'])
  assert.equal(clock.pending, 0)
})

test('without an idle limit, a flush takes as long as it takes', () => {
  const { clock, limits } = limited(0)
  limits.watchFlush({ writableLength: 1000 } as ServerResponse)
  assert.equal(clock.pending, 0)
})
