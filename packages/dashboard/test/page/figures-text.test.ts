import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  age,
  count,
  countMark,
  duration,
  durationMark,
  durationText,
  mebibytes,
  percent,
} from '../../page/figures-text.ts'

test('counts have a digit after the point only while they are small and not whole', () => {
  assert.deepEqual([0, 0.04, 1, 1.25, 9.99, 12.6, 1234.5].map(count), ['0', '0.0', '1', '1.3', '10.0', '13', '1,235'])
})

test('percentages are exact where they are small, and nothing is not almost nothing', () => {
  assert.deepEqual([0, 0.001, 0.0123, 0.0994, 0.0996, 0.5, 1].map(percent), [
    '0 %',
    '0.1 %',
    '1.2 %',
    '9.9 %',
    '10 %',
    '50 %',
    '100 %',
  ])
})

test('durations are in ms, or in s when they are long', () => {
  assert.deepEqual([0, 0.42, 9.94, 9.96, 12.4, 9994, 9995, 12_345].map(durationText), [
    '0 ms',
    '0.4 ms',
    '9.9 ms',
    '10 ms',
    '12 ms',
    '9,994 ms',
    '10.0 s',
    '12.3 s',
  ])
  assert.equal(durationText(null), '–')
  assert.deepEqual(duration(5), { number: '5.0', unit: 'ms' })
})

test('the marks of an axis are short', () => {
  assert.deepEqual([0, 0.5, 5, 500, 1000, 1500, 100_000, 200_000, 2e6, 5e9].map(countMark), [
    '0',
    '0.5',
    '5',
    '500',
    '1 k',
    '1.5 k',
    '100 k',
    '200 k',
    '2 M',
    '5 G',
  ])
  assert.deepEqual([0, 0.5, 5, 500, 1000, 1500, 20_000, 5e6].map(durationMark), [
    '0 ms',
    '0.5 ms',
    '5 ms',
    '500 ms',
    '1 s',
    '1.5 s',
    '20 s',
    '5,000 s',
  ])
})

test('ages have one unit, and are never negative, as clocks differ', () => {
  const ages = [-500, 0, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000].map(age)
  assert.deepEqual(ages, ['0 s', '0 s', '59 s', '1 min', '59 min', '1 h', '1 d'])
})

test('memory is in MiB', () => {
  assert.equal(mebibytes(44 * 1_048_576 + 1), '44 MiB')
})
