import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evidenceParts } from '../../page/backends/evidence-parts.ts'
import { left } from '../../page/backends/time-left.ts'
import { queueText } from '../../page/charts/queue-text.ts'
import { clockTime, momentText } from '../../page/figures-text.ts'
import { balancerView, start } from './told.ts'

test('probes become a table with times of day; how long they took needs no second name', () => {
  const probe = { good: false, at: start, sent: 'HEAD http://a/', received: 'HTTP 503', timings: { took: 2.5 } }
  assert.deepEqual(evidenceParts([probe, { ...probe, timings: { connected: 1, took: 3 } }]), {
    facts: [],
    tables: [
      {
        caption: '',
        columns: ['good', 'at', 'sent', 'received', 'took', 'connected'],
        rows: [
          ['no', clockTime(start), 'HEAD http://a/', 'HTTP 503', '2.5 ms', '–'],
          ['no', clockTime(start), 'HEAD http://a/', 'HTTP 503', '3.0 ms', '1.0 ms'],
        ],
      },
    ],
  })
})

test('of an outlier, shares are percentages and limits are in the unit of what they limit', () => {
  const recent = [{ at: start, what: 503 }]
  assert.deepEqual(evidenceParts({ share: 0.9, attempts: 120, mean: 1, sigma: 0, limit: 0.95, recent }), {
    facts: [
      ['share', '90 %'],
      ['attempts', '120'],
      ['mean', '100 %'],
      ['sigma', '0 %'],
      ['limit', '95 %'],
    ],
    tables: [{ caption: 'recent', columns: ['at', 'what'], rows: [[clockTime(start), '503']] }],
  })
  assert.deepEqual(evidenceParts({ p90: 400, median: 20, limit: 60, until: start }).facts, [
    ['p90', '400 ms'],
    ['median', '20 ms'],
    ['limit', '60 ms'],
    ['until', clockTime(start)],
  ])
})

test('other evidence may be anything, and is shown', () => {
  assert.deepEqual(evidenceParts('disk full').facts, [['evidence', 'disk full']])
  assert.deepEqual(evidenceParts(null).facts, [['evidence', '–']])
  assert.deepEqual(evidenceParts([]).facts, [['evidence', '']])
  assert.deepEqual(evidenceParts({ diskUsage: { freeBytes: 12 }, names: ['a', 'b'], mixed: [1, {}] }).facts, [
    ['disk usage free bytes', '12'],
    ['names', 'a, b'],
    ['mixed', '[1,{}]'],
  ])
})

test('what lasts until a time counts down', () => {
  assert.deepEqual(
    [23_000, 22_001, 90_000, 1, 0, -5000].map((ms) => left(start + ms, start)),
    ['in 23 s', 'in 23 s', 'in 1 min', 'in 1 s', 'any moment', 'any moment'],
  )
})

test('a moment of another day has its date', () => {
  assert.equal(momentText(start, start), clockTime(start))
  assert.match(momentText(start, start + 48 * 3_600_000), /^\d+ Nov \d\d:\d\d:\d\d$/)
})

test('the queue: how many wait, of how many, and how many were refused and why', () => {
  const view = balancerView('api')
  assert.equal(queueText(view), '0 of 1,024 waiting')
  const queue = { waiting: 1024, max: 1024, refused: 15 }
  const totals = { outcomes: { ok: 9, 'queue-full': 12, 'queue-timeout': 2, 'queue-shed': 1 } }
  assert.equal(queueText({ queue, totals }), '1,024 of 1,024 waiting, 12 refused as full, 2 timed out, 1 shed')
})
