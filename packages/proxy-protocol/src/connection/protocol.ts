/** What a client speaks on its connection. */
export type Protocol = 'tls' | 'http1' | 'http2'

/** The first byte of a TLS connection: a record with a handshake (RFC 8446 §5.1). */
const handshake = 0x16

/** How a client begins that speaks HTTP/2 without asking (RFC 9113 §3.4). No method of HTTP/1.1 begins like this. */
const preface = Buffer.from('PRI ')

/** What the first bytes begin; undefined if more are needed. */
export function protocolOf(bytes: Buffer): Protocol | undefined {
  if (bytes.length === 0) return undefined
  if (bytes[0] === handshake) return 'tls'
  const length = Math.min(bytes.length, preface.length)
  if (!bytes.subarray(0, length).equals(preface.subarray(0, length))) return 'http1'
  return length === preface.length ? 'http2' : undefined
}
