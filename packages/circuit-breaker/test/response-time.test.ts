import type { Attempt } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handedOverAt, responseTimeOf } from '../src/response-time.ts'

/** An attempt that has come so far. */
function attempt(progress: Partial<Attempt>): Attempt {
  const { startedAt = 100, uploadedAt = 0, respondedAt = 0 } = progress
  const responseTime = respondedAt === 0 ? 0 : respondedAt - Math.max(startedAt, uploadedAt)
  const status = respondedAt === 0 ? 0 : 200
  return { startedAt, uploadedAt, respondedAt, responseTime, status, ...progress } as Attempt
}

for (const [what, progress, from, time] of [
  ['waits for a connection', { started: false, uploaded: false }, 100, 900],
  ['is being uploaded', { started: true, uploaded: false }, undefined, 0],
  ['has no body', { started: true, uploaded: true }, 100, 900],
  ['has been uploaded', { started: true, uploaded: true, uploadedAt: 600 }, 600, 400],
  ['has been answered', { started: true, uploaded: true, uploadedAt: 600, respondedAt: 700 }, 600, 100],
  ['has no body and has been answered', { started: true, uploaded: true, respondedAt: 700 }, 100, 600],
  ['is answered while it is uploaded', { started: true, uploaded: false, respondedAt: 700 }, undefined, 0],
  ['was answered before it was uploaded', { started: true, uploaded: true, uploadedAt: 800, respondedAt: 700 }, 800, 0],
] as const) {
  test(`of an attempt that ${what}`, () => {
    assert.deepEqual([handedOverAt(attempt(progress)), responseTimeOf(attempt(progress), 1000)], [from, time])
  })
}
