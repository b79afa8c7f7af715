import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Aimd } from '../../src/algorithms/aimd.ts'

const settings = { initial: 20, min: 3, timeout: 5000 }

test('the vectors of the formula', () => {
  const aimd = new Aimd(settings)
  for (const [responseTime, inFlight, failed, limit] of [
    [100, 10, false, 21],
    [100, 10, false, 21],
    [5000, 11, false, 22],
    // 0.9 × 22, without its fraction
    [5001, 11, false, 19],
    [100, 1, true, 17],
    [undefined, 0, true, 15],
    [undefined, 8, false, 16],
  ] as const) {
    aimd.update({ responseTime, inFlight, failed }, 100)
    assert.equal(aimd.limit, limit)
  }
})

test('it falls by at least one, and stays between its bounds', () => {
  const aimd = new Aimd({ ...settings, initial: 5 })
  const limits = Array.from({ length: 4 }, () => {
    aimd.update({ responseTime: 1, inFlight: 5, failed: true }, 100)
    return aimd.limit
  })
  assert.deepEqual(limits, [4, 3, 3, 3])
  aimd.update({ responseTime: 1, inFlight: 5, failed: false }, 3)
  assert.equal(aimd.limit, 3)
})
