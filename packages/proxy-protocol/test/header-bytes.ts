import { crc32c } from '../src/header/crc32c.ts'

/** The 12 bytes with which version 2 begins. */
export const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

/** A header of version 2, as the specification draws it: nothing of it is checked. */
export function binary(command: number, protocol: number, rest: Buffer, length = rest.length): Buffer {
  return Buffer.concat([signature, Buffer.from([command, protocol, length >> 8, length & 0xff]), rest])
}

/** An extension: type, length, value. */
export function extension(type: number, value: Buffer | string, length = value.length): Buffer {
  return Buffer.concat([Buffer.from([type, length >> 8, length & 0xff]), Buffer.from(value)])
}

/** A header that ends with its own checksum. */
export function withChecksum(command: number, protocol: number, rest: Buffer): Buffer {
  const header = binary(command, protocol, Buffer.concat([rest, extension(0x03, Buffer.alloc(4))]))
  header.writeUInt32BE(crc32c(header), header.length - 4)
  return header
}

/** 192.0.2.1 port 56324 → 198.51.100.7 port 443. */
export const ipv4 = Buffer.from('c0000201c6336407dc0401bb', 'hex')

/** 2001:db8::1 port 56324 → 2001:db8::2 port 443. */
export const ipv6 = Buffer.from(
  '20010db8000000000000000000000001 20010db8000000000000000000000002 dc0401bb'.replaceAll(' ', ''),
  'hex',
)

/** What `ipv4` and `ipv6` say. */
export const ends = {
  ipv4: {
    family: 'IPv4',
    client: { address: '192.0.2.1', port: 56_324 },
    server: { address: '198.51.100.7', port: 443 },
  },
  ipv6: {
    family: 'IPv6',
    client: { address: '2001:db8::1', port: 56_324 },
    server: { address: '2001:db8::2', port: 443 },
  },
} as const

/** Version 1 of the same. */
export const text = {
  ipv4: 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n',
  ipv6: 'PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n',
} as const
