import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** The response codes of RFC 1035 §4.1.1, as far as tests need them. */
const codes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const

const types = { 1: 'A', 5: 'CNAME', 28: 'AAAA' } as const
type QuestionType = 'A' | 'AAAA'

/** What the name server says of one name. Of a family that is not named it says that there is none. */
export interface Zone {
  readonly A?: readonly string[]
  readonly AAAA?: readonly string[]
  /** In seconds. */
  readonly ttl?: number
  readonly code?: keyof typeof codes
  /** For what it gives no answer at all. */
  readonly silent?: readonly QuestionType[]
  /** Over UDP it says only that TCP must be used. */
  readonly truncated?: boolean
  /** The name is an alias of this one, with a TTL of its own; both are in the answer. */
  readonly alias?: { readonly name: string; readonly ttl: number }
}

/** A name server, over UDP and TCP. */
export interface TestNameServer {
  /** For `dns.setServers`. */
  readonly address: string
  /** By lower-case name; what is not there does not exist. May be changed at any time. */
  readonly zones: Map<string, Zone>
  /** Every question so far: `A backend.example`. */
  readonly asked: string[]
  /** Answers nothing any more, until `start`. */
  stop(): Promise<void>
  start(): Promise<void>
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  return Buffer.concat([...labels, Buffer.from([0])])
}

function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail = ''] = address.split('::')
  const words = (part: string) => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)))
  const [front, back] = [words(head), address.includes('::') ? words(tail) : []]
  const all = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back]
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 255]))
}

function record(name: Buffer, type: number, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10)
  head.writeUInt16BE(type, 0)
  head.writeUInt16BE(1, 2)
  head.writeUInt32BE(ttl, 4)
  head.writeUInt16BE(data.length, 8)
  return Buffer.concat([name, head, data])
}

/** The name and type of the only question, and where it ends. */
function questionOf(message: Buffer) {
  const labels: string[] = []
  let offset = 12
  for (let length = message[offset]!; length > 0; length = message[offset]!) {
    labels.push(message.toString('latin1', offset + 1, offset + 1 + length))
    offset += length + 1
  }
  const type = types[message.readUInt16BE(offset + 1) as keyof typeof types] as QuestionType
  return { name: labels.join('.').toLowerCase(), type, end: offset + 5 }
}

/** Undefined where the zone says nothing. */
function answerTo(message: Buffer, zones: ReadonlyMap<string, Zone>, overTcp: boolean): Buffer | undefined {
  const { name, type, end } = questionOf(message)
  const zone = zones.get(name) ?? { code: 'NXDOMAIN' }
  if (zone.silent?.includes(type) === true) return undefined
  const isTruncated = zone.truncated === true && !overTcp
  const owner = zone.alias === undefined ? Buffer.from([0xc0, 12]) : nameBytes(zone.alias.name)
  const data = (zone[type] ?? []).map((address) =>
    record(owner, type === 'A' ? 1 : 28, zone.ttl ?? 60, addressBytes(address)),
  )
  if (zone.alias !== undefined) {
    data.unshift(record(Buffer.from([0xc0, 12]), 5, zone.alias.ttl, nameBytes(zone.alias.name)))
  }
  const head = Buffer.alloc(12)
  message.copy(head, 0, 0, 2)
  head[2] = 0x81 | (isTruncated ? 2 : 0)
  head[3] = 0x80 | codes[zone.code ?? 'NOERROR']
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(isTruncated ? 0 : data.length, 6)
  return Buffer.concat([head, message.subarray(12, end), ...(isTruncated ? [] : data)])
}

/** Starts one, on a free port of the loopback if nothing else is said; it is stopped when the test ends. */
export async function startNameServer(
  t: TestContext,
  known: Readonly<Record<string, Zone>> = {},
  { host, port: wanted }: { readonly host: string; readonly port: number } = { host: '127.0.0.1', port: 0 },
): Promise<TestNameServer> {
  const zones = new Map(Object.entries(known))
  const asked: string[] = []
  const answer = (message: Buffer, overTcp: boolean) => {
    const { name, type } = questionOf(message)
    asked.push(`${type} ${name}`)
    return answerTo(message, zones, overTcp)
  }
  const tcp = createServer((socket) => {
    socket.on('error', () => {})
    let unread = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk])
      while (unread.length > 2 && unread.length >= unread.readUInt16BE(0) + 2) {
        const end = unread.readUInt16BE(0) + 2
        const said = answer(unread.subarray(2, end), true)
        unread = unread.subarray(end)
        if (said === undefined) continue
        const length = Buffer.alloc(2)
        length.writeUInt16BE(said.length)
        socket.write(Buffer.concat([length, said]))
      }
    })
  }).listen(wanted, host)
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  let udp: Socket | undefined
  const start = async () => {
    const socket = createSocket('udp4')
    udp = socket
    socket.on('message', (message, { port: to, address }) => {
      const said = answer(message, false)
      if (said !== undefined) socket.send(said, to, address)
    })
    socket.bind(port, host)
    await once(socket, 'listening')
  }
  const stop = async () => {
    const socket = udp
    udp = undefined
    if (socket !== undefined) await new Promise<void>((resolve) => void socket.close(() => resolve()))
  }
  await start()
  t.after(async () => {
    await stop()
    tcp.close()
  })
  return { address: `${host}:${port}`, zones, asked, stop, start }
}
