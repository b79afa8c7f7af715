import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failureError } from '../src/errors.ts'
import { failures, type FailureReason } from '../src/failure.ts'

test('every failure has a coded error with its status, and the message for the client', () => {
  const cause = new Error('connect ECONNREFUSED 10.0.0.1:3000')
  const codes = new Set<string>()
  for (const [reason, { status, message }] of Object.entries(failures)) {
    const error = failureError(reason as FailureReason, cause)
    assert.ok(error instanceof Error)
    assert.equal(error.reason, reason)
    assert.equal(error.statusCode, status)
    assert.equal(error.message, message)
    assert.equal(error.cause, cause)
    assert.match(error.code, /^FST_BALANCER_[A-Z_]+$/)
    codes.add(error.code)
  }
  assert.equal(codes.size, Object.keys(failures).length)
  assert.equal(failureError('no-backend', undefined).code, 'FST_BALANCER_NO_BACKEND')
})

test('making one captures no stack, which would cost more than all the rest of a refusal; it says what it is instead', (t) => {
  t.mock.method(Error, 'captureStackTrace', () => assert.fail('captured'))
  const error = failureError('queue-full', undefined)
  assert.equal(error.stack, 'FastifyError [FST_BALANCER_QUEUE_FULL]: Too many requests are waiting')
  assert.deepEqual(
    Object.keys(error).filter((key) => key === 'stack'),
    [],
  )
})
