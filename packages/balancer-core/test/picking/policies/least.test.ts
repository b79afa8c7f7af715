import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from 'undici'
import { Backend } from '../../../src/backends/backend.ts'
import { least } from '../../../src/picking/policies/least.ts'
import type { Picker, PickRequest } from '../../../src/picking/policy.ts'

const leastRequests = () => least('least-requests', ({ load }) => load)
const request: PickRequest = { method: 'GET', url: '/', headers: {} }

function backendOf(id: string, weight = 1, inFlight = 0): Backend {
  const backend = new Backend(id, `http://${id}.test`, { weight, priority: 0, maxInFlight: 128, tags: [] }, {} as Pool)
  backend.inFlight = inFlight
  return backend
}

function picks(picker: Picker, count: number): string {
  return Array.from({ length: count }, () => picker.pick(request)!.id).join(' ')
}

/** Picks, and lets what is picked run for ever. */
function fill(picker: Picker, count: number): string {
  return Array.from({ length: count }, () => {
    const backend = picker.pick(request)!
    backend.inFlight++
    return backend.id
  }).join(' ')
}

test('the least loaded is picked, wherever it stands', () => {
  for (const [loads, expected] of [
    [[1, 2, 3], 'a'],
    [[2, 1, 3], 'b'],
    [[3, 2, 1], 'c'],
    [[0, 0, 1], 'a'],
    [[1, 0, 0], 'b'],
  ] as const) {
    const backends = loads.map((load, index) => backendOf('abc'[index]!, 1, load))
    assert.equal(picks(leastRequests().over(backends), 1), expected)
  }
})

test('equals take turns, and one that is busier none', () => {
  const backends = [backendOf('a'), backendOf('b', 1, 1), backendOf('c')]
  const picker = leastRequests().over(backends)
  assert.equal(picks(picker, 6), 'a c a c a c')
  backends[0]!.inFlight = 1
  assert.equal(picks(picker, 2), 'c c')
  backends[2]!.inFlight = 1
  assert.equal(picks(picker, 6), 'a b c a b c')
})

test('equals of different weight take turns by weight', () => {
  const backends = [backendOf('a', 5), backendOf('b'), backendOf('c')]
  assert.equal(picks(leastRequests().over(backends), 14), 'a a b a c a a a a b a c a a')
})

test('load is compared for the weight', () => {
  const backends = [backendOf('a', 4, 7), backendOf('b', 1, 2)]
  const picker = leastRequests().over(backends)
  assert.equal(picks(picker, 1), 'a', '7 of weight 4 is less than 2 of weight 1')
  backends[0]!.inFlight = 9
  assert.equal(picks(picker, 1), 'b')
})

test('fills backends up in proportion to their weights', () => {
  const backends = [backendOf('a', 3), backendOf('b', 2), backendOf('c', 1)]
  const picker = leastRequests().over(backends)
  for (let round = 1; round <= 4; round++) {
    fill(picker, 6)
    assert.deepEqual(
      backends.map(({ inFlight }) => inFlight),
      [3 * round, 2 * round, round],
    )
  }
})

test('recent failures count as load', () => {
  const backends = [backendOf('a'), backendOf('b', 1, 1)]
  backends[0]!.penalty = 2
  assert.equal(picks(leastRequests().over(backends), 3), 'b b b')
})

test('the score is the load for the weight', () => {
  const backends = [backendOf('a', 4, 2), backendOf('b', 1, 3)]
  const picker = leastRequests().over(backends)
  assert.deepEqual(
    backends.map((backend) => picker.score!(backend)),
    [0.5, 3],
  )
})
