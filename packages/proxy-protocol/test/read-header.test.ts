import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { isIP, SocketAddress } from 'node:net'
import { describe, test } from 'node:test'
import { crc32c } from '../src/header/crc32c.ts'
import { HeaderFault, type Header } from '../src/header/header.ts'
import { readHeader } from '../src/header/read-header.ts'
import { binary, ends, extension, ipv4, ipv6, signature, text, withChecksum } from './header-bytes.ts'

const none = undefined
const line = (fields: string) => `PROXY ${fields}\r\n`
const unix = Buffer.concat([Buffer.from('/run/app.sock'.padEnd(108, '\0')), Buffer.alloc(108)])
const ssl = extension(0x20, Buffer.concat([Buffer.from('0100000000', 'hex'), extension(0x21, 'TLSv1.3')]))
const extensions = Buffer.concat([
  extension(0x01, 'h2'),
  extension(0x02, 'app.example'),
  extension(0x04, ''),
  extension(0x05, Buffer.alloc(128, 7)),
  ssl,
  extension(0x30, 'blue'),
  extension(0xea, '\u0001vpce-08d2bf15fac5001c9'),
])

/** Headers that are valid, and what they say. */
const valid: readonly (readonly [name: string, bytes: string | Buffer, said: Header['ends']])[] = [
  ['v1 TCP4', text.ipv4, ends.ipv4],
  ['v1 TCP6', text.ipv6, ends.ipv6],
  ['v1 TCP6 in upper case, not shortened', line('TCP6 2001:0DB8:0:0:0:0:0:1 2001:DB8::2 56324 443'), ends.ipv6],
  [
    'v1, the longest there can be',
    line(`TCP6 ${Array(8).fill('ffff').join(':')} ${Array(8).fill('ffff').join(':')} 65535 65535`),
    {
      family: 'IPv6',
      client: { address: Array(8).fill('ffff').join(':'), port: 65_535 },
      server: { address: Array(8).fill('ffff').join(':'), port: 65_535 },
    },
  ],
  ['v1 UNKNOWN', line('UNKNOWN'), none],
  ['v1 UNKNOWN with anything behind it', line('UNKNOWN ffff::ffff x -1 \u0000'), none],
  ['v1 UNKNOWN of 107 bytes', line(`UNKNOWN ${'x'.repeat(107 - 16)}`), none],
  ['v2 TCP over IPv4', binary(0x21, 0x11, ipv4), ends.ipv4],
  ['v2 UDP over IPv4: a client over HTTP/3', binary(0x21, 0x12, ipv4), ends.ipv4],
  ['v2 TCP over IPv6', binary(0x21, 0x21, ipv6), ends.ipv6],
  ['v2 UDP over IPv6', binary(0x21, 0x22, ipv6), ends.ipv6],
  ['v2 of a Unix socket', binary(0x21, 0x31, unix), none],
  ['v2 of a datagram Unix socket', binary(0x21, 0x32, unix), none],
  ['v2 UNSPEC', binary(0x21, 0x00, Buffer.alloc(0)), none],
  ['v2 UNSPEC with anything behind it', binary(0x21, 0x00, Buffer.alloc(50, 0xff)), none],
  ['v2 IPv4, unspecified protocol', binary(0x21, 0x10, ipv4), none],
  ['v2 LOCAL', binary(0x20, 0x00, Buffer.alloc(0)), none],
  ['v2 LOCAL with addresses, which are not used', binary(0x20, 0x11, ipv4), none],
  ['v2 LOCAL of an unknown family, which is not read', binary(0x20, 0xff, Buffer.alloc(3, 0xff)), none],
  ['v2 with every extension', binary(0x21, 0x11, Buffer.concat([ipv4, extensions])), ends.ipv4],
  ['v2 with a checksum', withChecksum(0x21, 0x21, Buffer.concat([ipv6, extensions])), ends.ipv6],
  ['v2 of 4096 bytes', binary(0x21, 0x11, Buffer.concat([ipv4, extension(0xe0, Buffer.alloc(4065))])), ends.ipv4],
]

/** Bytes after which the connection must be closed, and why. */
const invalid: readonly (readonly [name: string, bytes: string | Buffer, fault: RegExp])[] = [
  ['a request', 'GET / HTTP/1.1\r\n', /does not begin/],
  ['a handshake of TLS', Buffer.from('160301', 'hex'), /does not begin/],
  ['lower case', 'proxy ', /does not begin/],
  ['two spaces before the protocol', line(' TCP4 192.0.2.1 198.51.100.7 56324 443'), /protocol/],
  ['two spaces', line('TCP4 192.0.2.1  198.51.100.7 56324 443'), /address|more than/],
  ['a space at the end', line('TCP4 192.0.2.1 198.51.100.7 56324 443 '), /more than/],
  ['a tab', line('TCP4 192.0.2.1\t198.51.100.7 56324 443'), /address/],
  ['another protocol', line('UDP4 192.0.2.1 198.51.100.7 56324 443'), /protocol/],
  ['UNKNOWN and something joined to it', line('UNKNOWNX'), /protocol/],
  ['no protocol', line(''), /protocol/],
  ['IPv6 in TCP4', line('TCP4 2001:db8::1 2001:db8::2 56324 443'), /address/],
  ['IPv4 in TCP6', line('TCP6 192.0.2.1 198.51.100.7 56324 443'), /address/],
  ['leading zeros in an address', line('TCP4 192.0.02.1 198.51.100.7 56324 443'), /address/],
  ['a short address', line('TCP4 192.0.2 198.51.100.7 56324 443'), /address/],
  ['an address with a zone', line('TCP6 fe80::1%eth0 2001:db8::2 56324 443'), /address/],
  ['a name', line('TCP4 localhost 198.51.100.7 56324 443'), /address/],
  ['no ports', line('TCP4 192.0.2.1 198.51.100.7'), /port/],
  ['a port above 65535', line('TCP4 192.0.2.1 198.51.100.7 65536 443'), /port/],
  ['leading zeros in a port', line('TCP4 192.0.2.1 198.51.100.7 056324 443'), /port/],
  ['a negative port', line('TCP4 192.0.2.1 198.51.100.7 -1 443'), /port/],
  ['LF without CR', `PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\n${'x'.repeat(107)}`, /longer/],
  ['108 bytes', line(`UNKNOWN ${'x'.repeat(108 - 16)}`), /longer/],
  ['a line without end', `PROXY UNKNOWN ${'x'.repeat(93)}`, /longer/],
  ['another signature', Buffer.concat([signature.subarray(0, 11), Buffer.from('\r')]), /does not begin/],
  ['version 1 in binary', binary(0x11, 0x11, ipv4), /version/],
  ['version 3', binary(0x31, 0x11, ipv4), /version/],
  ['another command', binary(0x22, 0x11, ipv4), /command/],
  ['another family', binary(0x21, 0x41, ipv4), /family/],
  ['another protocol of that family', binary(0x21, 0x13, ipv4), /protocol/],
  ['too few bytes for IPv4', binary(0x21, 0x11, ipv4.subarray(0, 11)), /shorter/],
  ['too few bytes for IPv6', binary(0x21, 0x21, ipv4), /shorter/],
  ['too few bytes for a Unix socket', binary(0x21, 0x31, unix.subarray(1)), /shorter/],
  ['4097 bytes', binary(0x21, 0x11, Buffer.alloc(0), 4081), /longer/],
  ['65551 bytes', binary(0x21, 0x11, Buffer.alloc(0), 65_535), /longer/],
  ['half an extension', binary(0x21, 0x11, Buffer.concat([ipv4, Buffer.from([0xe0, 0])])), /extensions/],
  ['an extension that is too long', binary(0x21, 0x11, Buffer.concat([ipv4, extension(0xe0, 'x', 2)])), /extensions/],
  ['a wrong checksum', binary(0x21, 0x11, Buffer.concat([ipv4, extension(0x03, 'abcd')])), /checksum/],
  ['a short checksum', binary(0x21, 0x11, Buffer.concat([ipv4, extension(0x03, 'abc')])), /checksum/],
  ['two checksums', withChecksum(0x21, 0x11, Buffer.concat([ipv4, extension(0x03, Buffer.alloc(4))])), /checksum/],
]

describe('a header', () => {
  for (const [name, given, said] of valid)
    test(`${name}: is read exactly, from each piece of it on`, () => {
      const bytes = Buffer.from(given)
      const whole = Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1\r\n\r\n')])
      assert.deepEqual(readHeader(whole), { length: bytes.length, ends: said })
      for (let end = 0; end < bytes.length; end++) assert.equal(readHeader(whole.subarray(0, end)), undefined)
    })

  for (const [name, bytes, fault] of invalid)
    test(`${name}: is refused`, () => {
      assert.throws(
        () => readHeader(Buffer.from(bytes)),
        (error) => {
          assert.ok(error instanceof HeaderFault)
          assert.match(error.message, fault)
          return true
        },
      )
    })

  test('the checksum is CRC32C', () => {
    // RFC 3720, B.4.
    assert.equal(crc32c(Buffer.alloc(32)), 0x8a_91_36_aa)
    assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62_a8_ab_43)
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3_06_92_83)
  })
})

type Outcome = Header | 'refused' | 'more'

function outcomeOf(bytes: Buffer): Outcome {
  try {
    return readHeader(bytes) ?? 'more'
  } catch (error) {
    // Anything else would be a crash.
    assert.ok(error instanceof HeaderFault, String(error))
    return 'refused'
  }
}

/** The outcome for bytes that come in pieces, cut at these places. */
function inPieces(bytes: Buffer, cuts: readonly number[]): Outcome {
  for (const end of cuts.toSorted((a, b) => a - b)) {
    const outcome = outcomeOf(bytes.subarray(0, end % (bytes.length + 1)))
    if (outcome !== 'more') return outcome
  }
  return outcomeOf(bytes)
}

const port = fc.nat(65_535)
const extensionOf = fc
  .tuple(fc.constantFrom(0x01, 0x02, 0x04, 0x05, 0x20, 0x30, 0xe0, 0xef, 0x7f), fc.uint8Array({ maxLength: 40 }))
  .map(([type, value]) => extension(type, Buffer.from(value)))

/** Two ends, and headers that say them. */
const told = fc
  .tuple(fc.boolean(), fc.uint8Array({ minLength: 32, maxLength: 32 }), port, port, fc.array(extensionOf))
  .map(([isIPv6, bytes, client, server, more]) => {
    const size = isIPv6 ? 16 : 4
    const ports = Buffer.alloc(4)
    ports.writeUInt16BE(client)
    ports.writeUInt16BE(server, 2)
    const addresses = Buffer.from(bytes.subarray(0, 2 * size))
    const name = (address: Buffer) =>
      isIPv6
        ? new SocketAddress({ address: address.toString('hex').replaceAll(/.{4}(?!$)/g, '$&:'), family: 'ipv6' })
            .address
        : address.join('.')
    const [from, to] = [name(addresses.subarray(0, size)), name(addresses.subarray(size))]
    const rest = Buffer.concat([addresses, ports, ...more])
    return {
      ends: {
        family: isIPv6 ? 'IPv6' : 'IPv4',
        client: { address: from, port: client },
        server: { address: to, port: server },
      },
      text: Buffer.from(line(`${isIPv6 ? 'TCP6' : 'TCP4'} ${from} ${to} ${client} ${server}`)),
      binary: binary(0x21, isIPv6 ? 0x21 : 0x11, rest),
      checked: withChecksum(0x21, isIPv6 ? 0x21 : 0x11, rest),
    }
  })
const forms = ['text', 'binary', 'checked'] as const

describe('whatever is sent', () => {
  test('any two ends are read, however the header is cut', () => {
    fc.assert(
      fc.property(told, fc.constantFrom(...forms), fc.array(fc.nat(4096)), (header, form, cuts) => {
        const bytes = Buffer.concat([header[form], Buffer.from('PRI * HTTP/2.0')])
        const expected = { length: header[form].length, ends: header.ends }
        assert.deepEqual(inPieces(bytes, cuts), expected)
      }),
    )
  })

  test('a header with a fault has one outcome, however it is cut, and never an address that is none', () => {
    const fault = fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom('replaced', 'inserted', 'removed'))
    fc.assert(
      fc.property(
        told,
        fc.constantFrom(...forms),
        fc.array(fault, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(4096)),
        (header, form, faults, cuts) => {
          const bytes = [...header[form], ...Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n'.padEnd(200, '\r\n'))]
          for (const [at, byte, kind] of faults)
            bytes.splice(at % header[form].length, kind === 'inserted' ? 0 : 1, ...(kind === 'removed' ? [] : [byte]))
          const outcome = outcomeOf(Buffer.from(bytes))
          assert.deepEqual(inPieces(Buffer.from(bytes), cuts), outcome)
          if (typeof outcome === 'string' || outcome.ends === undefined) return
          const { family, client, server } = outcome.ends
          for (const { address, port: number } of [client, server]) {
            assert.equal(isIP(address), family === 'IPv6' ? 6 : 4)
            assert.ok(Number.isInteger(number) && number >= 0 && number <= 65_535)
          }
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('with a checksum, a changed byte never passes', () => {
    fc.assert(
      fc.property(told, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ checked }, at, change) => {
        const changed = Buffer.from(checked)
        // Behind what tells the form of the header, and not in what says that there is a checksum.
        const places = Array.from(changed.keys()).filter(
          (index) => index >= 16 && (index < changed.length - 7 || index >= changed.length - 4),
        )
        changed[places[at % places.length]!]! ^= change
        assert.equal(outcomeOf(changed), 'refused')
      }),
    )
  })

  test('bytes at random never crash it', () => {
    const starts = [Buffer.alloc(0), signature, Buffer.from('PROXY '), Buffer.from('PROXY TCP4 ')]
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 300 }), (start, bytes) => {
        outcomeOf(Buffer.concat([start, bytes]))
      }),
      { numRuns: 1000 },
    )
  })
})
