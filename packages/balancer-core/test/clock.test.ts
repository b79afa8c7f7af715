import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../src/clock.ts'

const day = 86_400_000
/** What a timer of Node counts to, in ms. */
const piece = 2 ** 31 - 1

for (const days of [1, 24, 30, 60])
  test(`a delay of ${days} days is not cut short`, (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let fired = 0
    systemClock.setTimeout(() => void fired++, days * day)
    let left = days * day
    for (; left > piece; left -= piece) t.mock.timers.tick(piece)
    t.mock.timers.tick(left - 1)
    assert.equal(fired, 0)
    t.mock.timers.tick(1)
    assert.equal(fired, 1)
    t.mock.timers.tick(100 * day)
    assert.equal(fired, 1)
  })

for (const days of [1, 40])
  test(`one of 60 days is taken back after ${days}`, (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const timer = systemClock.setTimeout(() => assert.fail('it was taken back'), 60 * day)
    t.mock.timers.tick(days * day)
    systemClock.clearTimeout(timer)
    t.mock.timers.tick(100 * day)
  })
