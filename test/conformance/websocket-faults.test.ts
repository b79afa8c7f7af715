// Frames that break the protocol cross like all others: what to say to them is for the other end (RFC 6455 §7.4.1).
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { rawClient, type RawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'
import { handshake, startUpgradeBackend } from '../support/upgrade-backend.ts'
import { openWebSocket, startEchoBackend } from '../support/websockets.ts'
import { failOnCrash } from './no-crash.ts'

failOnCrash()

const mask = Buffer.from('mask')
const fin = 0x80
const [text, binary, close, ping] = [1, 2, 8, 9] as const

/** One frame, of a payload below 64 KiB; masked, as a client sends it. */
function frame(first: number, payload: Uint8Array | string, isMasked: boolean): Buffer {
  const data = Buffer.from(payload as string)
  const length = data.length < 126 ? [data.length] : [126, data.length >> 8, data.length & 255]
  length[0]! |= isMasked ? 0x80 : 0
  const body = isMasked ? data.map((byte, index) => byte ^ mask[index % 4]!) : data
  return Buffer.concat([Buffer.from([first, ...length]), isMasked ? mask : Buffer.alloc(0), body])
}

/** The status of the close frame in these bytes, which are whole frames below 126 bytes. */
function closeStatus(frames: string): number | undefined {
  const bytes = Buffer.from(frames, 'latin1')
  for (let at = 0; at + 1 < bytes.length;) {
    const masked = (bytes[at + 1]! & 0x80) === 0 ? 0 : 4
    const start = at + 2 + masked
    if (bytes[at] === (fin | close) && bytes.length >= start + 2)
      return bytes.readUInt16BE(start) ^ (masked === 0 ? 0 : bytes.readUInt16BE(at + 2))
    at = start + (bytes[at + 1]! & 0x7f)
  }
  return undefined
}

function behindHead(received: string): string {
  return received.slice(received.indexOf('\r\n\r\n') + 4)
}

const invalid = Buffer.from('caf\xe9', 'latin1')
/** What a peer does wrong, given whether it masks; and the status that it is closed with. */
const faults: Record<string, readonly [(masks: boolean) => Buffer, status: number]> = {
  'text that is no UTF-8': [(masks) => frame(fin | text, invalid, masks), 1007],
  'text whose fragments together are no UTF-8': [
    (masks) => Buffer.concat([frame(text, 'caf', masks), frame(fin, invalid, masks)]),
    1007,
  ],
  'a reserved bit without an extension': [(masks) => frame(fin | 0x40 | text, 'x', masks), 1002],
  'a reserved opcode': [(masks) => frame(fin | 3, 'x', masks), 1002],
  'a continuation of nothing': [(masks) => frame(fin, 'x', masks), 1002],
  'a message within another': [
    (masks) => Buffer.concat([frame(text, 'x', masks), frame(fin | binary, 'y', masks)]),
    1002,
  ],
  'a ping in fragments': [(masks) => frame(ping, 'x', masks), 1002],
  'a ping of 126 bytes': [(masks) => frame(fin | ping, 'x'.repeat(126), masks), 1002],
  'a mask where there must be none, or none where there must be one': [(masks) => frame(fin | text, 'x', !masks), 1002],
  'a close of one byte': [(masks) => frame(fin | close, 'x', masks), 1002],
  'a close with a status that is never sent': [(masks) => frame(fin | close, Uint8Array.of(3, 237), masks), 1002],
  'a close whose reason is no UTF-8': [
    (masks) => frame(fin | close, Buffer.concat([Uint8Array.of(3, 232), invalid]), masks),
    1007,
  ],
  'a message that is too long': [(masks) => frame(fin | binary, Buffer.alloc(2000), masks), 1009],
}

async function upgraded(t: TestContext, port: number): Promise<RawClient> {
  const client = await rawClient(t, port)
  client.send(handshake('/', ['sec-websocket-extensions: x-none']))
  await client.until(/\r\n\r\n/)
  return client
}

test('faults of a client reach the server, and its close the client', async (t) => {
  const backend = await startEchoBackend(t, { maxPayload: 1000 })
  const { port, app } = await startApp(t, { backends: [backend.url], drainDeadline: 20 })
  for (const [name, [bytes, status]] of Object.entries(faults)) {
    const client = await upgraded(t, port)
    client.send(bytes(true))
    await until(`${name} is answered`, () => closeStatus(behindHead(client.received)) === status)
    client.socket.end()
    await client.closed()
  }
  await until('nothing is left', () => app.balancer.exchanges === 0)
})

test('faults of a server reach the client, and its close the server', async (t) => {
  const backend = await startUpgradeBackend(t)
  const { url, app } = await startApp(t, { backends: [backend.url], drainDeadline: 20 })
  for (const [name, [bytes, status]] of Object.entries(faults)) {
    const socket = await openWebSocket(t, url, { maxPayload: 1000, perMessageDeflate: false })
    const connection = backend.connections.at(-1)!
    connection.socket.write(bytes(false))
    await until(`${name} is answered`, () => closeStatus(connection.received) === status)
    connection.socket.end()
    if (socket.readyState !== socket.CLOSED) await once(socket, 'close')
  }
  await until('nothing is left', () => app.balancer.exchanges === 0)
})

test('frames that come byte by byte cross, from either side', async (t) => {
  const backend = await startUpgradeBackend(t)
  const { port } = await startApp(t, { backends: [backend.url], drainDeadline: 20 })
  const client = await upgraded(t, port)
  const [connection] = backend.connections
  client.socket.setNoDelay(true)
  connection!.socket.setNoDelay(true)
  const there = [
    frame(fin | text, 'hello', true),
    frame(fin | binary, 'x'.repeat(200), true),
    frame(fin | ping, '', true),
  ]
  const back = [frame(text, 'hel', false), frame(fin | ping, 'p', false), frame(fin, 'x'.repeat(200), false)]
  const all = Buffer.concat(there)
  const other = Buffer.concat(back)
  for (let index = 0; index < Math.max(all.length, other.length); index++) {
    if (index < all.length) client.send(all.subarray(index, index + 1))
    if (index < other.length) connection!.socket.write(other.subarray(index, index + 1))
    // oxlint-disable-next-line no-await-in-loop -- so that each is sent by itself
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until('all has crossed', () => connection!.received === all.toString('latin1'))
  await until('all has come back', () => behindHead(client.received) === other.toString('latin1'))
})
