import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { isRefusal, shorten, tlsReasonOf } from '../../../src/connections/tls/tls-reasons.ts'
import { localhost } from '../../../../../test/support/certificates.ts'

const coded = (code: string) => Object.assign(new Error(code), { code })

test('what verification says', () => {
  const reasons = {
    CERT_HAS_EXPIRED: 'tls-certificate-expired',
    CERT_NOT_YET_VALID: 'tls-certificate-expired',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'tls-certificate-untrusted',
    SELF_SIGNED_CERT_IN_CHAIN: 'tls-certificate-untrusted',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls-certificate-untrusted',
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls-certificate-untrusted',
    CERT_REVOKED: 'tls-certificate-untrusted',
    ERR_TLS_CERT_ALTNAME_INVALID: 'tls-name-mismatch',
    ERR_TLS_PIN_MISMATCH: 'tls-pin-mismatch',
    ERR_SSL_WRONG_VERSION_NUMBER: undefined,
    ECONNRESET: undefined,
  }
  for (const [code, reason] of Object.entries(reasons)) assert.equal(tlsReasonOf(coded(code)), reason, code)
  for (const odd of [undefined, null, 'what?', new Error('what?')]) assert.equal(tlsReasonOf(odd), undefined)
})

test('alerts about our certificate, as several versions of OpenSSL write them', () => {
  const alerts = {
    ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: true,
    'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE': true,
    ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: true,
    ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: true,
    ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: true,
    ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: true,
    ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: false,
    ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: false,
  }
  for (const [code, isOne] of Object.entries(alerts)) {
    const error = coded(code)
    assert.equal(isRefusal(error), isOne, code)
    assert.equal(tlsReasonOf(error), isOne ? 'tls-client-certificate-refused' : undefined, code)
  }
})

test('a handshake that fails once the certificate of the backend has come was refused for ours (TLS 1.2)', () => {
  for (const code of ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE']) {
    const error = coded(code)
    assert.ok(isRefusal(error, new X509Certificate(localhost.cert)))
    assert.equal(tlsReasonOf(error), 'tls-client-certificate-refused')
  }
})

test('an error of OpenSSL is left with what it says; others stay as they are', () => {
  const long =
    '40530871F77F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps/a.c:918:SSL alert number 116\n'
  const messages = { [long]: 'tlsv13 alert certificate required', 'self-signed certificate': 'self-signed certificate' }
  for (const [message, short] of Object.entries(messages)) {
    const error = new Error(message)
    shorten(error)
    assert.equal(error.message, short)
  }
})
