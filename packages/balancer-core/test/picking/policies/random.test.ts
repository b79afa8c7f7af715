import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from 'undici'
import { Backend } from '../../../src/backends/backend.ts'
import { random } from '../../../src/picking/policies/random.ts'
import type { PickRequest } from '../../../src/picking/policy.ts'

const request: PickRequest = { method: 'GET', url: '/', headers: {} }
/** The largest number below 1. */
const almostOne = 1 - Number.EPSILON / 2

function backendOf(id: string, weight = 1): Backend {
  return new Backend(id, `http://${id}.test`, { weight, priority: 0, maxInFlight: 128, tags: [] }, {} as Pool)
}

test('the least and the largest number reach the first and the last backend, in sets of every size', () => {
  const backends: Backend[] = []
  for (let size = 1; size <= 300; size++) {
    backends.push(backendOf(`b${size}`))
    assert.equal(
      random(() => 0)
        .over(backends)
        .pick(request),
      backends[0],
    )
    assert.equal(
      random(() => almostOne)
        .over(backends)
        .pick(request),
      backends.at(-1),
    )
  }
})

test('the least and the largest number reach the first and the last backend, with any weights', () => {
  const backends: Backend[] = []
  for (let size = 1; size <= 300; size++) {
    backends.push(backendOf(`b${size}`, 1 + ((size * 7919) % 65_535)))
    assert.equal(
      random(() => 0)
        .over(backends)
        .pick(request),
      backends[0],
    )
    assert.equal(
      random(() => almostOne)
        .over(backends)
        .pick(request),
      backends.at(-1),
    )
  }
})

test('a number picks the backend on whose stretch it falls', () => {
  const backends = [backendOf('a', 2), backendOf('b', 1), backendOf('c', 5)]
  const draws = [0, 0.249, 0.25, 0.374, 0.375, 0.999]
  let turn = 0
  const picker = random(() => draws[turn++] ?? 0).over(backends)
  assert.equal(draws.map(() => picker.pick(request)!.id).join(''), 'aabbcc')
})

test('load is of no concern, and there is no score', () => {
  const backends = [backendOf('a'), backendOf('b')]
  backends[0]!.inFlight = 100
  const picker = random(() => 0).over(backends)
  assert.equal(picker.pick(request), backends[0])
  assert.ok(!('score' in picker))
})

test('takes one number for each pick', () => {
  let drawn = 0
  const picker = random(() => (drawn++, 0.5)).over([backendOf('a'), backendOf('b')])
  const before = drawn
  for (let count = 0; count < 10; count++) picker.pick(request)
  assert.equal(drawn - before, 10)
})
