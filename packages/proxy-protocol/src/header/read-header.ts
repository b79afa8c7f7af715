// Room `header`: reads the header of the PROXY protocol, version 1 and 2 (HAProxy's `doc/proxy-protocol.txt`).
import { isBinary, readBinaryHeader } from './binary-header.ts'
import { HeaderFault, type Header } from './header.ts'
import { isText, readTextHeader } from './text-header.ts'

/**
 * Reads the header at the beginning of a connection; undefined if more bytes are needed.
 * @throws HeaderFault if there is none, or it is not valid: the connection must be closed
 */
export function readHeader(bytes: Buffer): Header | undefined {
  if (bytes.length === 0) return undefined
  if (isBinary(bytes)) return readBinaryHeader(bytes)
  if (isText(bytes)) return readTextHeader(bytes)
  throw new HeaderFault('it does not begin with a PROXY protocol header')
}

/** Do these bytes begin with a header, valid or not? */
export function isHeader(bytes: Buffer): boolean {
  return bytes.length > 5 && (isBinary(bytes) || isText(bytes))
}
