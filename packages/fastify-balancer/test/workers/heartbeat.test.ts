import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import { Heartbeat } from '../../src/workers/parent/heartbeat.ts'

function stage() {
  const clock = new ManualClock()
  const asked: number[] = []
  const told: string[] = []
  const heartbeat = new Heartbeat(
    {
      ask: (number) => void asked.push(number),
      silent: (duration) => void told.push(`silent ${duration}`),
      back: (duration) => void told.push(`back ${duration}`),
    },
    clock,
  )
  heartbeat.start()
  return { clock, asked, told, heartbeat }
}

test('a worker that answers is asked again and again, and nothing is told', () => {
  const { clock, asked, told, heartbeat } = stage()
  for (let beat = 0; beat < 10; beat++) {
    heartbeat.answer(asked.at(-1)!)
    clock.advance(500)
  }
  assert.deepEqual(asked.length, 11)
  assert.deepEqual(told, [])
})

test('one that does not answer for 2 s is told of, once, and asked no more questions; then that it is back', () => {
  const { clock, asked, told, heartbeat } = stage()
  clock.advance(1999)
  assert.deepEqual(told, [])
  clock.advance(1)
  assert.deepEqual([told, heartbeat.isSilent], [['silent 2000'], true])
  clock.advance(10_000)
  assert.deepEqual([told.length, asked], [1, [1]])
  heartbeat.answer(1)
  assert.deepEqual([told, heartbeat.isSilent], [['silent 2000', 'back 12000'], false])
  clock.advance(500)
  assert.deepEqual(asked, [1, 2])
})

test('a pause of the parent is none of the worker', () => {
  const { clock, told } = stage()
  clock.pause(60_000)
  assert.deepEqual(told, [])
})

test('after its end, nothing is asked', () => {
  const { clock, asked, heartbeat } = stage()
  heartbeat.stop()
  clock.advance(60_000)
  assert.deepEqual(asked, [1])
})
