import { createHash } from 'node:crypto'

/** RFC 6455 §1.3. */
const suffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** The `Sec-WebSocket-Accept` that belongs to a `Sec-WebSocket-Key` (RFC 6455 §4.2.2). */
export function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + suffix)
    .digest('base64')
}
