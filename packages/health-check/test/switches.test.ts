import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOptions } from '../src/options.ts'

test('passive checks are off, all of them or one kind, where the option is false', () => {
  const { outliers, pressure } = parseOptions({ outliers: false, pressure: false })
  assert.deepEqual(outliers.consecutive, { failures: 0, gateway: 0, unreached: 0 })
  assert.deepEqual([outliers.successRate.stdev, outliers.latency.factor, pressure.heed], [0, 0, false])
  const one = parseOptions({ outliers: { latency: false } }).outliers
  assert.deepEqual([one.latency.factor, one.successRate.stdev > 0, one.consecutive.failures > 0], [0, true, true])
})

test('they have their defaults where it is true', () => {
  assert.deepEqual(parseOptions({ outliers: true, pressure: true }), parseOptions({}))
  assert.deepEqual(parseOptions({ outliers: { latency: true } }), parseOptions({}))
})
