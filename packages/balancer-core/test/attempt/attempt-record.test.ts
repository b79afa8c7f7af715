import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AttemptRecord } from '../../src/attempt/attempt-record.ts'
import type { Backend } from '../../src/backends/backend.ts'

/** An attempt that began at 100 and has come so far. */
function attempt(progress: Partial<AttemptRecord>): AttemptRecord {
  return Object.assign(new AttemptRecord({} as Backend, 1), { startedAt: 100, ...progress })
}

for (const [what, progress, askedAt, responseTime] of [
  ['waits for a connection', { started: false, uploaded: false }, 100, 0],
  ['is being uploaded', { started: true, uploaded: false }, undefined, 0],
  ['has no body', { started: true, uploaded: true }, 100, 0],
  ['has been uploaded', { started: true, uploaded: true, uploadedAt: 600 }, 600, 0],
  ['has been answered', { started: true, uploaded: true, uploadedAt: 600, respondedAt: 700 }, 600, 100],
  ['has no body and has been answered', { started: true, uploaded: true, respondedAt: 700 }, 100, 600],
  ['is answered while it is uploaded', { started: true, uploaded: false, respondedAt: 700 }, undefined, 0],
  ['was answered before it was uploaded', { started: true, uploaded: true, uploadedAt: 800, respondedAt: 700 }, 800, 0],
] as const) {
  test(`since when the backend is waited for, and how long it took: one that ${what}`, () => {
    const one = attempt(progress)
    assert.deepEqual([one.askedAt, one.responseTime], [askedAt, responseTime])
  })
}

test('what the backend asks for', () => {
  const now = Date.UTC(2026, 1, 28)
  assert.equal(attempt({}).retryAfter(now), undefined)
  assert.equal(attempt({ headers: { 'retry-after': '7' } }).retryAfter(), 7000)
  assert.equal(attempt({ headers: { 'retry-after': 'Sat, 28 Feb 2026 00:00:05 GMT' } }).retryAfter(now), 5000)
})
