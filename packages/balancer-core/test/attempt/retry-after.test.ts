import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { retryAfter } from '../../src/attempt/retry-after.ts'

const now = Date.UTC(2026, 1, 28, 23, 59, 50)

const table: readonly [field: string | readonly string[] | undefined, expected: number | undefined][] = [
  // Seconds.
  ['0', 0],
  ['1', 1000],
  ['120', 120_000],
  [' 7 ', 7000],
  ['007', 7000],
  ['9'.repeat(400), Infinity],
  ['-1', undefined],
  ['+1', undefined],
  ['1.5', undefined],
  ['1e3', undefined],
  ['0x10', undefined],
  ['10s', undefined],
  ['1, 2', undefined],
  // Dates: the fixed form, RFC 850, asctime.
  ['Sun, 01 Mar 2026 00:00:00 GMT', 10_000],
  ['Sunday, 01-Mar-26 00:00:00 GMT', 10_000],
  ['Sun Mar  1 00:00:00 2026', 10_000],
  ['Sat Feb 28 23:59:51 2026', 1000],
  ['Sat, 28 Feb 2026 23:59:60 GMT', 10_000],
  ['Sat, 28 Feb 2026 23:59:50 GMT', 0],
  ['Sat, 28 Feb 2026 23:59:49 GMT', 0],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
  // Not more than 50 years ahead, or it is meant to be past: 76 is 2076, 77 is 1977.
  ['Sunday, 01-Mar-76 00:00:00 GMT', Date.UTC(2076, 2, 1) - now],
  ['Sunday, 01-Mar-77 00:00:00 GMT', 0],
  // No dates.
  ['Sun, 30 Feb 2026 00:00:00 GMT', undefined],
  ['Sun, 00 Mar 2026 00:00:00 GMT', undefined],
  ['Sun, 01 Mrz 2026 00:00:00 GMT', undefined],
  ['Sun, 01 Mar 2026 24:00:00 GMT', undefined],
  ['Sun, 01 Mar 2026 00:60:00 GMT', undefined],
  ['Sun, 01 Mar 2026 00:00:61 GMT', undefined],
  ['Sun, 01 Mar 2026 00:00:00 UTC', undefined],
  ['Sun, 1 Mar 2026 00:00:00 GMT', undefined],
  ['2026-03-01T00:00:00Z', undefined],
  ['2026-03-01', undefined],
  ['soon', undefined],
  ['', undefined],
  // Several fields, and none.
  [['2', '9'], 2000],
  [['soon', '9'], undefined],
  [[], undefined],
  [undefined, undefined],
]

for (const [field, expected] of table) {
  test(`retry-after: ${String(field).slice(0, 40)} is ${expected} ms`, () => {
    assert.equal(retryAfter(field, now), expected)
  })
}

test('any date that is written comes back, in all three forms', () => {
  const anyTime = fc.integer({ min: Math.ceil(now / 1000), max: Date.UTC(2076, 0, 1) / 1000 })
  fc.assert(
    fc.property(anyTime, (seconds) => {
      const text = new Date(seconds * 1000).toUTCString()
      const [, weekday, day, month, year, time] = /^(\w+), (\d\d) (\w+) (\d+) (.+) GMT$/.exec(text)!
      const expected = seconds * 1000 - now
      assert.equal(retryAfter(text, now), expected)
      assert.equal(retryAfter(`${weekday}sday, ${day}-${month}-${year!.slice(2)} ${time} GMT`, now), expected)
      assert.equal(retryAfter(`${weekday} ${month} ${day!.replace(/^0/, ' ')} ${time} ${year}`, now), expected)
    }),
  )
})

test('anything at all is undefined or not negative', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const hint = retryAfter(text, now)
      assert.ok(hint === undefined || hint >= 0)
    }),
  )
})
