import { randomBytes } from 'node:crypto'

/** A final close frame with a payload of two bytes; with the mask bit where a client sends it (RFC 6455 §5.2, §5.5.1). */
const close = 0x88
const size = 2
const masked = 0x80
/** Status 1001: an endpoint is going away (RFC 6455 §7.4.1). */
const status = [0x03, 0xe9] as const

const toClient = Uint8Array.of(close, size, ...status)

/**
 * The close frame 1001. What comes from a client goes to the backend, which takes us for a client: that frame is masked
 * (RFC 6455 §5.3).
 */
export function goingAway(fromClient: boolean): Uint8Array {
  if (!fromClient) return toClient
  const mask = randomBytes(4)
  return Uint8Array.of(close, size | masked, ...mask, status[0] ^ mask[0]!, status[1] ^ mask[1]!)
}
