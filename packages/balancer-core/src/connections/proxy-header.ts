import { isIP } from 'node:net'

/** The versions of the PROXY protocol: text and binary (HAProxy's `doc/proxy-protocol.txt`). */
export type ProxyVersion = 'v1' | 'v2'

/** One end of a client's connection, as far as it is known. */
export interface ClientEnd {
  readonly address?: string | undefined
  readonly port?: number | undefined
}

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/** A connection of the proxy's own (§2.2). Version 1 has no word for that. */
const local = { v1: Buffer.from('PROXY UNKNOWN\r\n'), v2: Buffer.concat([signature, Buffer.from([0x20, 0, 0, 0])]) }

/** The connection of a client with an unknown address. */
const unknown = { v1: local.v1, v2: Buffer.concat([signature, Buffer.from([0x21, 0, 0, 0])]) }

/** TCP over IPv4, and over IPv6. */
const protocols = { 4: 0x11, 6: 0x21 } as const

/** An IPv4 address as a server sees it that listens on IPv6, too. */
const mapped = /^::ffff:(?=\d+\.)/i

/** The 16 bytes of an IPv6 address, or of an IPv4 address that is mapped into IPv6. */
function bytesOf(address: string): Buffer {
  const text = isIP(address) === 4 ? `::ffff:${address}` : address
  // The form without dots: what stands before `::`, and behind it.
  const [head = '', tail = ''] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::')
  const [before, behind] = [head, tail].map((part) => part.split(':').filter((hextet) => hextet !== ''))
  const bytes = Buffer.alloc(16)
  for (const [index, hextet] of before!.entries()) bytes.writeUInt16BE(Number.parseInt(hextet, 16), 2 * index)
  for (const [index, hextet] of behind!.toReversed().entries())
    bytes.writeUInt16BE(Number.parseInt(hextet, 16), 14 - 2 * index)
  return bytes
}

function addressOf({ address = '' }: ClientEnd): string {
  // A zone means something on this machine only.
  return address.replace(mapped, '').replace(/%.*/, '')
}

/** What a connection begins with that carries no client's requests: that of a probe. */
export function localHeader(version: ProxyVersion): Buffer {
  return local[version]
}

/** What a connection begins with that carries the requests of a client; `server` is where the client has connected to. */
export function proxyHeader(version: ProxyVersion, client: ClientEnd, server: ClientEnd): Buffer {
  const addresses = [addressOf(client), addressOf(server)]
  const families = addresses.map((address) => isIP(address))
  if (families[0] === 0) return unknown[version]
  // Where the client has connected to is not known behind a proxy over a Unix socket.
  if (families[1] === 0) [addresses[1], families[1]] = families[0] === 4 ? ['0.0.0.0', 4] : ['::', 6]
  const family = families.includes(6) ? 6 : 4
  const ports = [client.port ?? 0, server.port ?? 0]
  const bytes = addresses.map((address) => bytesOf(address).subarray(family === 6 ? 0 : 12))
  if (version === 'v1') {
    const texts = bytes.map((one) =>
      family === 6 ? one.toString('hex').replaceAll(/.{4}(?!$)/g, '$&:') : one.join('.'),
    )
    return Buffer.from(`PROXY TCP${family} ${texts.join(' ')} ${ports.join(' ')}\r\n`)
  }
  const tail = Buffer.alloc(4)
  tail.writeUInt16BE(ports[0]!)
  tail.writeUInt16BE(ports[1]!, 2)
  const length = 2 * bytes[0]!.length + tail.length
  return Buffer.concat([signature, Buffer.from([0x21, protocols[family], 0, length]), ...bytes, tail])
}
