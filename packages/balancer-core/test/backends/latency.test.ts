import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Latency, latencyBuckets } from '../../src/backends/counts/latency.ts'

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`)
}

test('begins with nothing', () => {
  const latency = new Latency()
  assert.equal(latency.average, 0)
  assert.deepEqual(
    latency.buckets,
    Array.from({ length: latencyBuckets.length + 1 }, () => 0),
  )
})

test('the ladder of bounds rises', () => {
  assert.deepEqual(latencyBuckets, [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000])
})

test('a duration counts in the first bucket whose bound it does not exceed', () => {
  for (const [index, bound] of latencyBuckets.entries()) {
    const latency = new Latency()
    latency.measure(bound, 0)
    latency.measure(bound - 0.001, 0)
    latency.measure(bound + 0.001, 0)
    const expected = Array.from({ length: latencyBuckets.length + 1 }, () => 0)
    expected[index] = 2
    expected[index + 1] = 1
    assert.deepEqual(latency.buckets, expected, `around ${bound}`)
  }
})

test('whatever is slower than all bounds counts in the last, open bucket; whatever is faster, in the first', () => {
  const latency = new Latency()
  latency.measure(1e9, 0)
  latency.measure(Infinity, 0)
  latency.measure(0, 0)
  assert.equal(latency.buckets.at(-1), 2)
  assert.equal(latency.buckets[0], 1)
})

test('the first measurement is the average', () => {
  const latency = new Latency()
  latency.measure(120, 5000)
  assert.equal(latency.average, 120)
})

test('a measurement weighs the more, the longer the last one was ago: 1 - 1/e after 10 s', () => {
  for (const [pause, weight] of [
    [10_000, 1 - Math.exp(-1)],
    [5000, 1 - Math.exp(-0.5)],
    [1000, 1 - Math.exp(-0.1)],
    [100_000, 1 - Math.exp(-10)],
  ] as const) {
    const latency = new Latency()
    latency.measure(100, 1000)
    latency.measure(200, 1000 + pause)
    close(latency.average, 100 + 100 * weight)
  }
})

test('answers that come all at once weigh a hundredth each', () => {
  for (const pause of [0, 1, 50, 100]) {
    const latency = new Latency()
    latency.measure(100, 1000)
    latency.measure(200, 1000 + pause)
    close(latency.average, 101)
  }
})

test('each pause is measured from the measurement before', () => {
  const latency = new Latency()
  latency.measure(100, 0)
  latency.measure(100, 10_000)
  latency.measure(0, 20_000)
  close(latency.average, 100 * Math.exp(-1))
})

test('a clock that steps back does no harm', () => {
  const latency = new Latency()
  latency.measure(100, 10_000)
  latency.measure(200, 5000)
  close(latency.average, 101)
  latency.measure(101, 15_000)
  close(latency.average, 101)
})
