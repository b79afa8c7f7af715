import { canonical } from './canonical.ts'
import { crc32c } from './crc32c.ts'
import type { End, Ends } from './ends.ts'
import { HeaderFault, type Header } from './header.ts'

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/** Signature, version and command, family and protocol, length of the rest. */
const fixed = 16

/** The longest header that is taken, as in nginx; addresses and the usual extensions need less than 536 bytes. */
const longest = 4096

const local = 0x20
const proxy = 0x21

/** Family of addresses: 4 bits (§2.2). */
const families = { unspecified: 0, ipv4: 1, ipv6: 2, unix: 3 } as const

/** Bytes that the addresses of each family take. */
const addressBytes: readonly number[] = [0, 12, 36, 216]

/** Protocol: 4 bits; 1 is a stream, and 2 datagrams (of a client over HTTP/3, say). */
const lastProtocol = 2

const checksum = 0x03

/** Does a header of version 2 begin here, as far as can be seen? */
export function isBinary(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length)
  return bytes.subarray(0, length).equals(signature.subarray(0, length))
}

function hextets(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16)).join(':')
}

function endsOf(addresses: Buffer, family: 1 | 2): Ends {
  const size = family === families.ipv4 ? 4 : 16
  const endAt = (index: number): End => {
    const address = addresses.subarray(size * index, size * (index + 1))
    return {
      address: family === families.ipv4 ? address.join('.') : canonical(hextets(address)),
      port: addresses.readUInt16BE(2 * size + 2 * index),
    }
  }
  return { family: family === families.ipv4 ? 'IPv4' : 'IPv6', client: endAt(0), server: endAt(1) }
}

/** Steps over the extensions, which begin at `start`; checks the checksum if there is one (§2.2.3). */
function checkExtensions(header: Buffer, start: number): void {
  let sum: number | undefined
  for (let at = start; at < header.length;) {
    const valueAt = at + 3
    const end = valueAt > header.length ? Infinity : valueAt + header.readUInt16BE(at + 1)
    if (end > header.length) throw new HeaderFault('its extensions are longer than the header')
    if (header[at] === checksum) {
      if (end !== valueAt + 4 || sum !== undefined) throw new HeaderFault('its checksum is not one of 4 bytes')
      sum = valueAt
    }
    at = end
  }
  if (sum === undefined) return
  const given = header.readUInt32BE(sum)
  const zeroed = Buffer.from(header)
  zeroed.writeUInt32BE(0, sum)
  if (crc32c(zeroed) !== given) throw new HeaderFault('its checksum does not fit')
}

/** Version 2: binary (§2.2). @throws HeaderFault */
export function readBinaryHeader(bytes: Buffer): Header | undefined {
  if (bytes.length < fixed) return undefined
  const command = bytes[12]!
  if (command !== local && command !== proxy) throw new HeaderFault('its version is not 2, or its command is unknown')
  const length = fixed + bytes.readUInt16BE(14)
  if (length > longest) throw new HeaderFault(`it is longer than ${longest} bytes`)
  const family = bytes[13]! >> 4
  const protocol = bytes[13]! & 0x0f
  const addressLength = addressBytes[family]
  if (command === proxy) {
    if (addressLength === undefined || protocol > lastProtocol)
      throw new HeaderFault('its address family or protocol is unknown')
    if (length < fixed + addressLength) throw new HeaderFault('it is shorter than its addresses')
  }
  if (bytes.length < length) return undefined
  // A connection of the proxy's own, e.g. a health check: whatever follows is to be ignored.
  if (command === local || family === families.unspecified) return { length, ends: undefined }
  const header = bytes.subarray(0, length)
  checkExtensions(header, fixed + addressLength!)
  const isAddress = family === families.ipv4 || family === families.ipv6
  const ends = isAddress && protocol > 0 ? endsOf(header.subarray(fixed), family) : undefined
  return { length, ends }
}
