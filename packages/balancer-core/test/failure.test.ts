import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failures } from '../src/failure.ts'

test('the table', () => {
  assert.deepEqual(
    Object.entries(failures).map(([reason, { status, blame, retry }]) => `${reason} ${status} ${blame} ${retry}`),
    [
      'bad-request 400 client never',
      'unsupported-version 505 client never',
      'upgrade-with-body 400 client never',
      'upgrade-required 426 client never',
      'rewrite-failed 500 proxy never',
      'overloaded 503 proxy never',
      'no-backend 503 proxy never',
      'tunnels-full 503 proxy never',
      'queue-full 503 proxy never',
      'queue-shed 503 proxy never',
      'queue-timeout 503 proxy never',
      'dns-failed 502 backend elsewhere',
      'connect-refused 502 backend anywhere',
      'connect-failed 502 backend anywhere',
      'connect-timeout 504 backend elsewhere',
      'tls-failed 502 backend elsewhere',
      'tls-certificate-expired 502 backend elsewhere',
      'tls-certificate-untrusted 502 backend elsewhere',
      'tls-name-mismatch 502 backend elsewhere',
      'tls-pin-mismatch 502 backend elsewhere',
      'tls-client-certificate-refused 502 backend elsewhere',
      'out-of-sockets 503 proxy elsewhere',
      'continue-timeout 504 proxy never',
      'upgrade-unsupported 502 proxy elsewhere',
      'request-refused 502 proxy never',
      'upload-timeout 504 backend never',
      'request-stalled 408 client never',
      'stale-connection 502 proxy fresh-connection',
      'reset-before-headers 502 backend anywhere',
      'bad-response 502 backend elsewhere',
      'upgrade-mismatch 502 backend never',
      'upgrade-key-mismatch 502 backend never',
      'upgrade-ignored 501 proxy never',
      'response-header-too-large 502 proxy never',
      'headers-timeout 504 backend elsewhere',
      'body-timeout 504 backend never',
      'body-truncated 502 backend never',
      'request-timeout 504 proxy never',
      'client-deadline 408 client never',
      'stream-timeout 504 proxy never',
      'drain-deadline 503 proxy elsewhere',
      'hedge-lost 503 proxy never',
      'client-gone 499 client never',
      'client-stalled 499 client never',
    ],
  )
})

test('what the client is told is a sentence without any address', () => {
  for (const { message } of Object.values(failures)) assert.match(message, /^[A-Z][A-Za-z ]+$/)
})

test('a reason for which the client is to blame has a status of the client, any other one of the server', () => {
  for (const [reason, { status, blame }] of Object.entries(failures)) {
    // 505 is the one status of a server that says what the client has done.
    assert.equal(Math.floor(status / 100), blame === 'client' && status !== 505 ? 4 : 5, reason)
  }
})
