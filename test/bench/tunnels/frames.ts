/** The header of a final binary frame (RFC 6455 §5.2), with a mask of zeros where a client sends it. */
function header(length: number, isMasked: boolean): Buffer {
  const bit = isMasked ? 0x80 : 0
  const mask = isMasked ? [0, 0, 0, 0] : []
  if (length < 126) return Buffer.from([0x82, bit | length, ...mask])
  const extended = Buffer.alloc(10)
  extended[0] = 0x82
  extended[1] = bit | 127
  extended.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([extended, Buffer.from(mask)])
}

/** A whole frame of so many bytes of payload. */
export function frame(length: number, isMasked: boolean): Buffer {
  return Buffer.concat([header(length, isMasked), Buffer.alloc(length, 'x')])
}

/** The path at which a backend answers each frame of so many bytes with one of its own. */
function pathOf(length: number): string {
  return `/frames/${length}`
}

export function lengthOf(path: string): number {
  return Number(path.slice('/frames/'.length))
}

const key = 'dGhlIHNhbXBsZSBub25jZQ=='

export function handshake(length: number): string {
  const fields = `host: a.example\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ${key}`
  return `GET ${pathOf(length)} HTTP/1.1\r\n${fields}\r\nsec-websocket-version: 13\r\n\r\n`
}
