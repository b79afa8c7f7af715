import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOfOptions, parseOptions, type BalancerOptions } from '../../../src/options.ts'

type Queue = BalancerOptions['queue']

const faults = (queue: unknown) => faultsOfOptions({ queue: queue as NonNullable<Queue> })
const classes = ['high', 'normal', 'low']

test('defaults: one class, first come, first served', () => {
  assert.deepEqual(parseOptions({}).queue, {
    max: 1024,
    priority: { classes: [], share: 0.1 },
    shed: false,
    target: 5,
    interval: 100,
  })
  assert.equal(parseOptions({ queue: false }).queue.max, 0)
})

test('classes need a default one, and something that names them', () => {
  const classify = () => 'high'
  assert.deepEqual(faults({ priority: { classes, default: 'low', classify } }), [])
  assert.deepEqual(faults({ priority: { classes, header: 'x-priority' } }), [
    "queue.priority.default: expected one of 'high', 'normal', 'low', got nothing",
  ])
  assert.deepEqual(faults({ priority: { classes, default: 'usual', header: 'x-priority' } }), [
    "queue.priority.default: expected one of 'high', 'normal', 'low', got 'usual'",
  ])
  assert.deepEqual(faults({ priority: { classes, default: 'low' } }), [
    'queue.priority: needs `header` or `classify`, or all requests are `default`',
  ])
  assert.deepEqual(faults({ priority: { header: 'x-priority' } }), ['queue.priority.header: needs `classes`'])
  assert.deepEqual(faults({ priority: { classes, default: 'low', classify: 'x-priority' } }), [
    'queue.priority.classify: expected a function, got a string',
  ])
  assert.deepEqual(faults({ priority: { classes, default: 'low', classify, share: 0.6 } }), [
    'queue.priority.share: with 3 classes at most 0.5, got 0.6',
  ])
})

test('what is wrong in itself is told once', () => {
  assert.deepEqual(faults({ priority: { classes: ['a', 'a'], default: 'b', header: 'x y' } }), [
    'queue.priority.classes: expected at most 16 different names, got an array',
    "queue.priority.header: expected the name of a header, got 'x y'",
  ])
  assert.deepEqual(faults({ shed: 'lifo' }), ["queue.shed: expected 'codel' or false, got 'lifo'"])
  assert.deepEqual(faults({ target: 0 }), ['queue.target: expected a whole number from 1 to 2147483647, got 0'])
  for (const queue of [5, null, 'x', { priority: null }, { priority: 5 }]) assert.equal(faults(queue).length, 1)
})
