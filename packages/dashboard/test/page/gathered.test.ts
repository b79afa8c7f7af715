import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gathered, placesText } from '../../page/feed/gathered.ts'
import type { FeedEvent } from '../../page/live/events.ts'
import { start } from './told.ts'

let last = 0

function circuit(at: number, instance: string, rest: { backend?: string; state?: string } = {}): FeedEvent {
  last += 1
  const said = { type: 'circuit', balancer: 'api', backend: 'a', state: 'open', before: 'closed', reason: '' } as const
  return { ...said, id: String(last), at: start + at, instance, ...rest }
}

/** The lines, the oldest first. */
const lines = (feed: readonly FeedEvent[], all = 3) =>
  gathered(feed.toReversed(), all)
    .map(({ event, instances }) => `${(event.at - start).toString()} ${placesText(instances, all)}`.trim())
    .toReversed()

test('an event of some instances names them; of all, none', () => {
  assert.deepEqual(lines([circuit(0, 'x')]), ['0 on x'])
  assert.deepEqual(lines([circuit(0, 'x'), circuit(4999, 'y')]), ['0 on x, y'])
  assert.deepEqual(lines([circuit(0, 'x'), circuit(1, 'y'), circuit(2, 'z')]), ['0'])
  const many = Array.from({ length: 5 }, (_, index) => circuit(index, `i${index}`))
  assert.deepEqual(lines(many, 8), ['0 on 5 of 8 instances'])
})

test('what happens later, again, or to another is a line of its own', () => {
  assert.deepEqual(lines([circuit(0, 'x'), circuit(5000, 'y')]), ['0 on x', '5000 on y'])
  assert.deepEqual(lines([circuit(0, 'x'), circuit(1, 'x')]), ['0 on x', '1 on x'])
  assert.deepEqual(lines([circuit(0, 'x'), circuit(1, 'y', { backend: 'b' })]), ['0 on x', '1 on y'])
  assert.deepEqual(lines([circuit(0, 'x'), circuit(1, 'y', { state: 'closed' })]), ['0 on x', '1 on y'])
})

test('what all share names no instance, and nothing does where there is only one', () => {
  const order: FeedEvent = { type: 'admin', id: '1', at: start, text: 'drained a', instance: 'x' }
  const veto = { type: 'veto', balancer: 'api', backend: 'a', action: 'laid', reason: '' } as const
  assert.deepEqual(lines([order]), ['0'])
  const laid = (by: string, hard: boolean) =>
    lines([{ ...veto, id: by, at: start, by, hard, available: false, instance: 'x' }])
  assert.deepEqual(laid('drain', true), ['0'])
  assert.deepEqual(laid('health-check', false), ['0'])
  assert.deepEqual(laid('outlier-detection', false), ['0 on x'])
  assert.deepEqual(lines([circuit(0, 'x'), circuit(1, 'x')], 1), ['0', '1'])
})
