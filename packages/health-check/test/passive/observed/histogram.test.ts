import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Histogram } from '../../../src/passive/observed/histogram.ts'

function histogramOf(durations: readonly number[]): Histogram {
  const histogram = new Histogram()
  for (const duration of durations) histogram.add(duration)
  return histogram
}

const empty = new Histogram()

/** The nearest rank, exactly. */
function exact(durations: readonly number[], tenths: number): number {
  const rank = Math.max(Math.ceil((tenths * durations.length) / 10), 1)
  return durations.toSorted((a, b) => a - b)[rank - 1]!
}

function assertNear(actual: number | undefined, expected: number): void {
  assert.ok(actual !== undefined && Math.abs(actual / expected - 1) < 0.03, `${actual} is within 3 % of ${expected}`)
}

test('without a duration there is no quantile', () => {
  assert.equal(empty.quantileWith(new Histogram(), 0.9), undefined)
})

test('one duration is every quantile, within 3 %, between 0.25 ms and ten minutes', () => {
  for (let duration = 0.25; duration < 600_000; duration *= 1.0113) {
    for (const share of [0.01, 0.5, 0.9, 1]) assertNear(histogramOf([duration]).quantileWith(empty, share), duration)
  }
})

test('what is shorter or longer is taken for the shortest or the longest', () => {
  for (const duration of [0, 0.001, 0.2]) assertNear(histogramOf([duration]).quantileWith(empty, 0.9), 0.2573)
  for (const duration of [1e6, 1e9, Infinity]) {
    assert.ok(histogramOf([duration]).quantileWith(empty, 0.9)! > 600_000)
  }
})

test('the 90th percentile of ten is the ninth, of eleven the tenth', () => {
  const ten = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
  assertNear(histogramOf(ten).quantileWith(empty, 0.9), 256)
  assertNear(histogramOf([...ten, 1024]).quantileWith(empty, 0.9), 512)
})

test('a share of a round number is that number, whatever the last bit', () => {
  // 0.07 × 100 is 7.000000000000001.
  const durations = [...Array.from({ length: 7 }, () => 1), ...Array.from({ length: 93 }, () => 1000)]
  assertNear(histogramOf(durations).quantileWith(empty, 0.07), 1)
})

test('two are judged as one', () => {
  const fast = histogramOf(Array.from({ length: 90 }, () => 10))
  const slow = histogramOf(Array.from({ length: 10 }, () => 1000))
  assertNear(fast.quantileWith(slow, 0.9), 10)
  assertNear(slow.quantileWith(fast, 0.9), 10)
  slow.add(1000)
  assertNear(fast.quantileWith(slow, 0.9), 1000)
})

test('after it was cleared nothing is left', () => {
  const histogram = histogramOf([1, 10, 100])
  histogram.clear()
  assert.deepEqual([histogram.count, histogram.quantileWith(empty, 0.9)], [0, undefined])
  histogram.add(5)
  assertNear(histogram.quantileWith(empty, 1), 5)
})

test('any quantile of anything is within 3 % of the exact one', () => {
  const anyDuration = fc.double({ min: 0.25, max: 600_000, noNaN: true })
  fc.assert(
    fc.property(
      fc.array(anyDuration, { minLength: 1, maxLength: 200 }),
      fc.array(anyDuration, { maxLength: 50 }),
      fc.integer({ min: 1, max: 10 }),
      (some, others, tenths) => {
        const actual = histogramOf(some).quantileWith(histogramOf(others), tenths / 10)
        assertNear(actual, exact([...some, ...others], tenths))
      },
    ),
  )
})
