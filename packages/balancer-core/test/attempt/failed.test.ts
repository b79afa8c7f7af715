import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attemptFailed, exchangeFailed } from '../../src/attempt/failed.ts'
import { blameOf, type Outcome } from '../../src/failure.ts'
import type { StatusName } from '../../src/grpc/status-code.ts'

function ended(outcome: Outcome, effectiveStatus: number, grpcStatus?: StatusName) {
  return { outcome, blame: blameOf(outcome), effectiveStatus, grpcStatus, status: effectiveStatus }
}

/** What the client got, and the attempt that it came from. */
function answered(outcome: Outcome, status: number, answeredBy?: ReturnType<typeof ended>) {
  return { outcome, blame: blameOf(outcome), status, answeredBy }
}

test('an attempt has failed with a status of 500 or above, or by fault of its backend', () => {
  const rows: [Outcome, number, boolean, StatusName?][] = [
    ['ok', 200, false],
    ['ok', 499, false],
    ['ok', 500, true],
    ['ok', 503, true, 'UNAVAILABLE'],
    ['body-truncated', 200, true],
    ['connect-refused', 0, true],
    ['client-gone', 0, false],
    ['client-gone', 500, true],
    ['hedge-lost', 0, false],
    ['drain-deadline', 0, false],
  ]
  for (const [outcome, status, expected, grpcStatus] of rows)
    assert.equal(attemptFailed(ended(outcome, status, grpcStatus)), expected, `${outcome} ${status}`)
})

test('a request has failed if its client got a 5xx or a broken transfer, and not by its own doing', () => {
  const rows: [ReturnType<typeof answered>, boolean][] = [
    [answered('ok', 200, ended('ok', 200)), false],
    [answered('ok', 404, ended('ok', 404)), false],
    [answered('ok', 500, ended('ok', 500)), true],
    // What the client got counts, where that was rewritten; and of gRPC what its status means.
    [answered('ok', 200, ended('ok', 500)), false],
    [answered('ok', 503, ended('ok', 200)), true],
    [answered('ok', 200, { ...ended('ok', 503, 'UNAVAILABLE'), status: 200 }), true],
    [answered('ok', 200, { ...ended('ok', 404, 'UNIMPLEMENTED'), status: 200 }), false],
    // Answered by a hook of the app.
    [answered('ok', 503), true],
    [answered('body-truncated', 200, ended('body-truncated', 200)), true],
    [answered('queue-full', 503), true],
    [answered('drain-deadline', 503), true],
    // The app may answer a failure as it likes.
    [answered('no-backend', 200), true],
    [answered('client-gone', 0), false],
    [answered('client-gone', 200, ended('client-gone', 200)), false],
    [answered('client-gone', 500, ended('client-gone', 500)), true],
    [answered('bad-request', 400), false],
    [answered('unsupported-version', 505), false],
    [answered('request-stalled', 408), false],
  ]
  for (const [one, expected] of rows) assert.equal(exchangeFailed(one), expected, `${one.outcome} ${one.status}`)
  const running = { outcome: undefined, blame: undefined, status: 500, answeredBy: ended('ok', 500) }
  assert.equal(exchangeFailed(running), false)
})
