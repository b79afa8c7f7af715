import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LimitAlgorithm, Measured } from '../src/algorithms/algorithm.ts'
import { BackendLimit } from '../src/backend-limit.ts'

/** An algorithm that notes what it is told, and does what the test says. */
function recorded() {
  const told: Measured[] = []
  const backend = { inFlight: 3, maxInFlight: 100, limit: 20 }
  const limits: number[] = []
  const algorithm = {
    limit: 20,
    isMeasuring: false,
    usual: 7 as number | undefined,
    update: (measured: Measured) => void told.push(measured),
  }
  const limit = new BackendLimit(backend, algorithm satisfies LimitAlgorithm, 1000, 0, (next) => void limits.push(next))
  return { told, backend, limits, algorithm, limit }
}

test('a window ends after its time, and not before ten requests', () => {
  const { told, limit, backend } = recorded()
  for (let count = 1; count <= 9; count++) {
    backend.inFlight = count === 4 ? 12 : 3
    limit.answered(0, count, 1500)
  }
  assert.deepEqual(told, [])
  limit.answered(0, 15, 1500)
  assert.deepEqual(told, [{ responseTime: 6, inFlight: 12, failed: false }])
  for (let count = 0; count < 20; count++) limit.answered(0, 1, 2499)
  assert.equal(told.length, 1)
  limit.answered(0, 1, 2500)
  assert.deepEqual(told[1], { responseTime: 1, inFlight: 3, failed: false })
})

test('failures count as requests, and have no response time', () => {
  const { told, limit } = recorded()
  for (let count = 0; count < 9; count++) limit.failed(0, 2000)
  limit.answered(0, 30, 2000)
  for (let count = 0; count < 10; count++) limit.failed(0, 4000)
  for (let count = 0; count < 10; count++) limit.answered(0, 5, 6000)
  assert.deepEqual(told, [
    { responseTime: 30, inFlight: 3, failed: true },
    { responseTime: undefined, inFlight: 3, failed: true },
    { responseTime: 5, inFlight: 3, failed: false },
  ])
})

test('a limit is set at first, and whenever it is another', () => {
  const { limits, limit, algorithm } = recorded()
  assert.deepEqual(limits, [20])
  for (let count = 0; count < 10; count++) limit.answered(0, 1, 1000)
  assert.deepEqual(limits, [20])
  algorithm.update = () => void (algorithm.limit = 21)
  for (let count = 0; count < 10; count++) limit.answered(0, 1, 2000)
  assert.deepEqual(limits, [20, 21])
  assert.deepEqual(limit.view('a'), { backend: 'a', limit: 21, usual: 7, isMeasuring: false })
  algorithm.limit = 500
  assert.equal(limit.view('a').limit, 100)
})

test('while the usual time is measured, only requests of that time count', () => {
  const { told, limit, algorithm } = recorded()
  algorithm.update = () => void (algorithm.isMeasuring = true)
  for (let count = 0; count < 10; count++) limit.answered(0, 1, 1000)
  algorithm.update = (measured: Measured) => void told.push(measured)
  for (let count = 0; count < 20; count++) limit.answered(999, 500, 2100)
  limit.failed(999, 2100)
  assert.deepEqual(told, [])
  for (let count = 0; count < 10; count++) limit.answered(1000, 40, 2100)
  assert.deepEqual(told, [{ responseTime: 40, inFlight: 3, failed: false }])
})

test('where this instance has a part of the limit, its requests are taken for that part of all', () => {
  const { told, limit, backend } = recorded()
  Object.assign(backend, { limit: 5, inFlight: 4 })
  for (let count = 0; count < 10; count++) limit.answered(0, 1, 1000)
  assert.equal(told[0]!.inFlight, 16)
  // Its whole limit is in force, for `maxInFlight` allows no more.
  Object.assign(backend, { limit: 10, maxInFlight: 10, inFlight: 9 })
  for (let count = 0; count < 10; count++) limit.answered(0, 1, 2000)
  assert.equal(told[1]!.inFlight, 9)
})
