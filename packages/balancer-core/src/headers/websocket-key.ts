import { createHash, randomBytes } from 'node:crypto'

/** RFC 6455 §1.3. */
const suffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A fresh `Sec-WebSocket-Key`: 16 random bytes (RFC 6455 §4.1). */
export function newKey(): string {
  return randomBytes(16).toString('base64')
}

/** The `Sec-WebSocket-Accept` that belongs to a `Sec-WebSocket-Key` (RFC 6455 §4.2.2). */
export function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + suffix)
    .digest('base64')
}
