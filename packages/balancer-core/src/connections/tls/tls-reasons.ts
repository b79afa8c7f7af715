import type { X509Certificate } from 'node:crypto'
import type { FailureReason } from '../../failure.ts'

/** Codes of OpenSSL's verification, and of the checks that follow it. */
const reasons: Readonly<Record<string, FailureReason>> = {
  CERT_HAS_EXPIRED: 'tls-certificate-expired',
  CERT_NOT_YET_VALID: 'tls-certificate-expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls-name-mismatch',
  ERR_TLS_PIN_MISMATCH: 'tls-pin-mismatch',
}

/** No chain from the certificate to a CA that is trusted holds. */
const untrusted = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Alerts about the certificate of the other side (RFC 8446 §6.2), which is ours. Versions of OpenSSL begin them differently. */
const refusal =
  /_ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(?:REVOKED|EXPIRED|UNKNOWN|REQUIRED)|UNKNOWN_CA|ACCESS_DENIED)$/

/** Of TLS 1.2: also when a certificate is missing (RFC 5246 §7.4.6), but then the backend's own came before it. */
const handshakeFailure = /_ALERT_HANDSHAKE_FAILURE$/

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' ? code : ''
}

const refusals = new WeakSet()

/** Does the backend refuse our certificate by it? `received`: the backend's own, if it has sent one. */
export function isRefusal(error: Error, received?: X509Certificate): boolean {
  const code = codeOf(error)
  const isRefused = refusal.test(code) || (received !== undefined && handshakeFailure.test(code))
  if (isRefused) refusals.add(error)
  return isRefused
}

/** Leaves of an error of OpenSSL what it says: `…:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:…`. */
export function shorten(error: Error): void {
  error.message = error.message.replace(/^[\dA-F]+:error:[\dA-F]+:[^:]*:[^:]*:([^:]+):[^]*$/, '$1')
}

/** Why there is no trusted connection, if the error says so more closely than `tls-failed`. */
export function tlsReasonOf(error: unknown): FailureReason | undefined {
  const code = codeOf(error)
  if (untrusted.has(code)) return 'tls-certificate-untrusted'
  return refusals.has(error as object) ? 'tls-client-certificate-refused' : reasons[code]
}
