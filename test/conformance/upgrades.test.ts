import plugin, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { startBackend, unusedOrigin } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { LogLines } from '../support/log-lines.ts'
import { rawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'
import { accept, handshake, startUpgradeBackend, switching } from '../support/upgrade-backend.ts'
import { failOnCrash } from './no-crash.ts'

failOnCrash()

async function start(
  t: TestContext,
  options: BalancerOptions,
  { before, logger = false }: { before?: (app: FastifyInstance) => unknown; logger?: boolean | LogLines } = {},
) {
  const app = Fastify({ logger })
  await before?.(app)
  await app.register(plugin, options)
  const { port } = await listenApp(t, app)
  return { app, balancer: app.balancer, client: () => rawClient(t, port) }
}

/** The lines of a head, sorted, names in lower case. */
function fieldsOf(head: string): readonly string[] {
  const lines = head.trimEnd().split('\r\n').slice(1)
  return lines.map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase())).toSorted()
}

test('a handshake crosses with every end-to-end field, and so does its answer; then bytes in both directions', async (t) => {
  const backend = await startUpgradeBackend(t, (head) =>
    [
      switching(head),
      'Sec-WebSocket-Protocol: b\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nbehind',
    ].join(''),
  )
  const { client, balancer } = await start(t, { backends: [backend.url], forwarded: false })
  const socket = await client()
  const fields = [
    'Origin: http://b.example',
    'Cookie: a=1; b=2',
    'Sec-WebSocket-Protocol: a',
    'Sec-WebSocket-Protocol: b, c',
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    'Authorization: Bearer x',
  ]
  socket.send(`${handshake('/chat?a=%20b', [...fields, 'Keep-Alive: 5'])}early`)
  await socket.until(/behind$/)
  const [connection] = backend.connections
  assert.match(connection!.head, /^GET \/chat\?a=%20b HTTP\/1\.1\r\n/)
  assert.deepEqual(
    fieldsOf(connection!.head),
    fieldsOf(handshake('/', fields)).map((line) => line.replace('connection: upgrade', 'connection: Upgrade')),
  )
  assert.deepEqual(fieldsOf(socket.received.slice(0, socket.received.indexOf('\r\n\r\n'))), [
    'connection: Upgrade',
    `sec-websocket-accept: ${accept}`,
    'sec-websocket-extensions: permessage-deflate',
    'sec-websocket-protocol: b',
    'set-cookie: a=1',
    'set-cookie: b=2',
    'upgrade: websocket',
  ])
  await until('the early bytes have arrived', () => connection!.received === 'early')
  const there = randomBytes(300_000).toString('latin1')
  const back = randomBytes(300_000).toString('latin1')
  socket.send(Buffer.from(there, 'latin1'))
  connection!.socket.write(back, 'latin1')
  await until('everything has arrived', () => connection!.received.length === 300_005)
  await until('everything has come back', () => socket.received.endsWith(back))
  assert.equal(connection!.received, `early${there}`)
  const [tunnel] = [...balancer.tunnels]
  assert.deepEqual([tunnel!.bytesSent, tunnel!.bytesReceived], [300_005, 300_006])
  assert.equal(balancer.backends[0]!.inFlight, 0)
  assert.equal(balancer.backends[0]!.tunnels.size, 1)
  assert.equal(balancer.backends[0]!.load, 0.1)
  socket.socket.destroy()
  await until('the backend sees the end', () => connection!.ended)
  connection!.socket.end()
  await until('nothing is left', () => balancer.exchanges === 0)
  assert.equal(balancer.backends[0]!.load, 0)
  assert.equal(balancer.backends[0]!.isIdle, true)
})

test('no byte goes to the client before the backend has switched, and none of the client to the backend', async (t) => {
  const backend = await startUpgradeBackend(t, () => undefined)
  const { client } = await start(t, { backends: [backend.url] })
  const socket = await client()
  socket.send(`${handshake()}one`)
  await until('it has been asked', () => (backend.connections[0]?.head ?? '') !== '')
  socket.send('two')
  const [connection] = backend.connections
  connection!.socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n')
  await socket.until(/103 Early Hints/)
  assert.equal(connection!.received, '')
  assert.doesNotMatch(socket.received, / 101 /)
  connection!.socket.write(`${switching(connection!.head)}\r\n`)
  await socket.until(/ 101 /)
  await until('the early bytes have arrived', () => connection!.received === 'onetwo')
})

test('a refusal crosses whole, and ends the connection', async (t) => {
  const body = 'x'.repeat(200_000)
  const backend = await startUpgradeBackend(t, (head) =>
    head.startsWith('GET /chunked')
      ? 'HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
      : `HTTP/1.1 403 Forbidden\r\ncontent-length: ${body.length}\r\nx-why: no\r\n\r\n${body}`,
  )
  const { client, balancer } = await start(t, { backends: [backend.url] })
  const one = await client()
  one.send(`${handshake('/')}early`)
  const answer = await one.closed()
  assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/)
  assert.match(answer, /x-why: no\r\n/)
  assert.match(answer, /connection: close\r\n/i)
  assert.ok(answer.endsWith(`\r\n\r\n${body}`))
  const other = await client()
  other.send(handshake('/chunked'))
  assert.match(await other.closed(), /^HTTP\/1\.1 401 .*www-authenticate: Basic.*3\r\nabc\r\n0\r\n\r\n$/s)
  await until('nothing is left', () => balancer.exchanges === 0)
  assert.equal(balancer.backends[0]!.isIdle, true)
})

test('without a Host header there is no handshake', async (t) => {
  const backend = await startUpgradeBackend(t)
  const { client } = await start(t, { backends: [backend.url] })
  const one = await client()
  one.send(handshake('/').replace('host: a.example\r\n', ''))
  assert.match(await one.closed(), /^HTTP\/1\.1 400 /)
  assert.equal(backend.connections.length, 0)
})

test("the app's hooks decide before a backend hears of it, and add their headers", async (t) => {
  const backend = await startUpgradeBackend(t)
  const seen: string[] = []
  const { client } = await start(
    t,
    { backends: [backend.url] },
    {
      before(app) {
        app.addHook('onRequest', async (request, reply) => {
          seen.push(request.url)
          reply.header('x-hook', 'yes')
          if (request.headers.authorization === undefined) await reply.code(401).send({ no: true })
        })
      },
    },
  )
  const refused = await client()
  refused.send(handshake('/a'))
  assert.match(await refused.closed(), /^HTTP\/1\.1 401 .*connection: close.*\{"no":true\}$/is)
  assert.equal(backend.connections.length, 0)
  const passed = await client()
  passed.send(handshake('/b', ['authorization: x']))
  assert.match(await passed.until(/\r\n\r\n/), /^HTTP\/1\.1 101 .*x-hook: yes/s)
  assert.deepEqual(seen, ['/a', '/b'])
})

test('a client that other code has begun to answer is not told that the backend has switched', async (t) => {
  const backend = await startUpgradeBackend(t)
  const { client, balancer } = await start(
    t,
    { backends: [backend.url] },
    {
      before(app) {
        app.addHook('preHandler', async (_request, { raw }) => {
          raw.writeHead(200, { 'content-length': '9' })
          raw.write('begun')
        })
      },
    },
  )
  const socket = await client()
  socket.send(handshake())
  assert.match(await socket.closed(), /^HTTP\/1\.1 200 .*begun$/s)
  await until('the backend sees the end', () => backend.connections[0]!.ended)
  backend.connections[0]!.socket.end()
  await until('nothing is left', () => balancer.exchanges === 0 && balancer.backends[0]!.isIdle)
})

test('a protocol that is not listed is ignored: the request goes on with its body, and the connection stays', async (t) => {
  const backend = await startBackend(t, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    response.end(`${request.method} ${request.url} ${request.headers.upgrade} ${Buffer.concat(chunks).toString()};`)
  })
  const { client } = await start(t, { backends: [backend.url] })
  const socket = await client()
  const h2c = 'host: a\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n'
  socket.send(`GET /1 HTTP/1.1\r\n${h2c}\r\n`)
  await socket.until(/GET \/1 undefined ;$/)
  socket.send(`POST /2 HTTP/1.1\r\n${h2c}content-length: 5\r\n\r\nhello`)
  await socket.until(/POST \/2 undefined hello;$/)
  socket.send(`POST /3 HTTP/1.1\r\n${h2c}transfer-encoding: chunked\r\n\r\n5\r\nhel`)
  socket.send('lo\r\n0\r\n\r\n')
  await socket.until(/POST \/3 undefined hello;/)
  // Pipelined, with an ordinary request before and behind.
  socket.send(`GET /4 HTTP/1.1\r\nhost: a\r\n\r\nGET /5 HTTP/1.1\r\n${h2c}\r\nGET /6 HTTP/1.1\r\nhost: a\r\n\r\n`)
  await socket.until(/GET \/4 undefined ;.*GET \/5 undefined ;.*GET \/6 undefined ;/s)
  // HTTP/1.0 has no upgrade (RFC 9110 §7.8).
  const old = await client()
  old.send('GET /7 HTTP/1.0\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n')
  assert.match(await old.closed(), /GET \/7 undefined ;$/)
})

test('any number of such requests leaves nothing behind on their connection', async (t) => {
  const backend = await startBackend(t, (request, response) => response.end(`${request.url};`))
  let socket: Socket | undefined
  const { client } = await start(
    t,
    { backends: [backend.url] },
    { before: (app) => app.server.on('connection', (one) => (socket = one)) },
  )
  const connection = await client()
  const listeners: number[] = []
  for (const path of ['/1', '/2', '/3', '/4']) {
    connection.send(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n`)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await connection.until(new RegExp(`${path};$`))
    listeners.push(socket!.eventNames().reduce((sum, event) => sum + socket!.listenerCount(event), 0))
  }
  assert.deepEqual(listeners.slice(1), listeners.slice(0, -1))
})

test('a handshake whose body never comes to its end is refused, and its connection closed', async (t) => {
  const backend = await startUpgradeBackend(t)
  const { client, balancer } = await start(t, { backends: [backend.url] })
  for (const [field, body] of [
    ['content-length: 3', ''],
    ['content-length: 3', 'a'],
    ['transfer-encoding: chunked', '3\r\na'],
  ] as const) {
    // oxlint-disable no-await-in-loop -- one after the other
    const socket = await client()
    socket.send(handshake('/', [field]) + body)
    assert.match(await socket.closed(), /^HTTP\/1\.1 400 /)
    await until('nothing is left', () => balancer.exchanges === 0)
    // oxlint-enable no-await-in-loop
  }
  assert.equal(backend.connections.length, 0)
})

test('a 101 that does not say to what it switches is a mismatch', async (t) => {
  const answers = ['', 'connection: upgrade\r\n', 'upgrade: websocket\r\n']
  const backend = await startUpgradeBackend(
    t,
    (head) => `HTTP/1.1 101 Switching Protocols\r\n${answers[Number(head.charAt(5))]}\r\n`,
  )
  const { client, balancer } = await start(t, { backends: [backend.url] })
  for (const index of answers.keys()) {
    // oxlint-disable no-await-in-loop -- one after the other
    const socket = await client()
    socket.send(handshake(`/${index}`))
    assert.match(await socket.closed(), /^HTTP\/1\.1 502 /)
    await until('nothing is left', () => balancer.exchanges === 0)
    // oxlint-enable no-await-in-loop
  }
  assert.equal(balancer.backends[0]!.outcomes['upgrade-mismatch'], answers.length)
})

test('of several protocols only those listed are asked for, and one of them is taken, in any case', async (t) => {
  const backend = await startUpgradeBackend(t, (head) => `${switching(head, 'BAR/2')}\r\n`)
  const { client } = await start(t, { backends: [backend.url], upgrade: { protocols: ['foo', 'bar/2'] } })
  const socket = await client()
  socket.send('OPTIONS /x HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c, Foo, Bar/2\r\n\r\n')
  await socket.until(/101 Switching Protocols\r\n.*upgrade: BAR\/2\r\n.*\r\n\r\n/is)
  assert.match(backend.connections[0]!.head, /\r\nupgrade: Foo, Bar\/2\r\n/)
  const plain = await startBackend(t, (request, response) => response.end(`${request.headers.upgrade}`))
  const other = await start(t, { backends: [plain.url], upgrade: { protocols: ['foo'] } })
  const websocket = await other.client()
  websocket.send(handshake())
  await websocket.until(/undefined$/)
})

test('what was never sent goes to another backend; what was sent does not', async (t) => {
  const backend = await startUpgradeBackend(t)
  const gone = await unusedOrigin()
  const lost = await startUpgradeBackend(t, (_head, { socket }) => void socket.destroy())
  const { client, balancer } = await start(t, { backends: [gone, backend.url] })
  for (let round = 0; round < 2; round++) {
    const socket = await client()
    socket.send(handshake())
    await socket.until(/ 101 /)
  }
  assert.equal(backend.connections.length, 2)
  assert.equal(balancer.backends[0]!.outcomes['connect-refused'], 2)
  const other = await start(t, { backends: [lost.url, backend.url] })
  const socket = await other.client()
  socket.send(handshake())
  assert.match(await socket.closed(), /^HTTP\/1\.1 502 /)
  assert.equal(backend.connections.length, 2)
})

test('a client that leaves during the handshake takes its attempt along', async (t) => {
  const backend = await startUpgradeBackend(t, () => undefined)
  const { client, balancer } = await start(t, { backends: [backend.url] })
  const socket = await client()
  socket.send(handshake())
  await until('it has been asked', () => (backend.connections[0]?.head ?? '') !== '')
  socket.socket.resetAndDestroy()
  await until('the backend sees the end', () => backend.connections[0]!.ended)
  await until('nothing is left', () => balancer.exchanges === 0 && balancer.backends[0]!.isIdle)
  assert.equal(balancer.backends[0]!.outcomes['client-gone'], 1)
})

test('a client that leaves while a hook is busy does not stay', async (t) => {
  const backend = await startUpgradeBackend(t)
  let closed = 0
  const seen: string[] = []
  const { client } = await start(
    t,
    { backends: [backend.url] },
    {
      before(app) {
        app.server.on('connection', (socket) => socket.on('close', () => closed++))
        app.addHook('onRequest', ({ url }) => void seen.push(url))
        app.addHook('onRequest', (_request, _reply, _done) => {})
      },
    },
  )
  const ended = await client()
  ended.send(`${handshake('/1')}early`)
  const reset = await client()
  reset.send(handshake('/2'))
  await until('hooks are busy', () => seen.length === 2)
  ended.socket.end()
  reset.socket.resetAndDestroy()
  await until('both connections are closed', () => closed === 2)
  assert.equal(backend.connections.length, 0)
})

describe('the end of a tunnel', () => {
  async function open(t: TestContext, options: BalancerOptions = {}) {
    const backend = await startUpgradeBackend(t)
    const log = new LogLines()
    const { app, client, balancer } = await start(t, { backends: [backend.url], ...options }, { logger: log })
    const socket = await client()
    socket.send(handshake())
    await socket.until(/\r\n\r\n$/)
    return { app, balancer, log, socket, backend: backend.connections[0]! }
  }

  test('each side may end first, and still gets everything from the other', async (t) => {
    const one = await open(t)
    one.socket.socket.end('last')
    await until('the backend sees the end', () => one.backend.ended)
    assert.equal(one.backend.received, 'last')
    one.backend.socket.end('answer')
    assert.match(await one.socket.closed(), /answer$/)
    const other = await open(t)
    other.socket.socket.allowHalfOpen = true
    other.backend.socket.end('bye')
    await other.socket.until(/bye$/)
    other.socket.socket.end('and you')
    await until('everything has arrived', () => other.backend.closed)
    assert.equal(other.backend.received, 'and you')
  })

  test('a reset of either side is the end of both', async (t) => {
    const one = await open(t)
    one.socket.socket.resetAndDestroy()
    await until('the backend sees it', () => one.backend.ended)
    const other = await open(t)
    other.backend.socket.resetAndDestroy()
    await other.socket.closed()
    await until('nothing is left', () => other.balancer.exchanges === 0)
  })

  test('silence: after `idle`, in both directions; after `linger`, once one has ended', async (t) => {
    const clock = new ManualClock()
    const one = await open(t, { clock, upgrade: { idle: 1000, linger: 200 } })
    clock.advance(900)
    one.socket.send('x')
    await until('it has arrived', () => one.backend.received === 'x')
    clock.advance(900)
    one.backend.socket.write('y')
    await one.socket.until(/y$/)
    clock.advance(900)
    assert.equal(one.backend.ended, false)
    clock.advance(101)
    // 'x' is no whole frame: there is no close frame.
    clock.advance(1000)
    await until('both are ended', () => one.backend.ended && one.socket.socket.readableEnded)
    const other = await open(t, { clock, upgrade: { idle: 1000, linger: 200 } })
    other.backend.socket.end()
    await until('the client has been told', () => other.socket.socket.readableEnded || !other.socket.socket.readable)
  })

  /** What a client has to see at the end, and a backend, whose frame is masked. */
  const goingAway = '\x88\x02\x03\xe9'
  function unmasked(frame: string): string {
    const bytes = Buffer.from(frame, 'latin1')
    const [head, mask, payload] = [bytes.subarray(0, 2), bytes.subarray(2, 6), bytes.subarray(6)]
    assert.equal(head[1], 0x82)
    return `\x88\x02${Buffer.from(payload.map((byte, index) => byte ^ mask[index]!)).toString('latin1')}`
  }

  test('a drain leaves it alone until the deadline; then both sides get a close frame, between two frames', async (t) => {
    const clock = new ManualClock()
    const { balancer, socket, backend, log } = await open(t, { clock })
    const [id] = balancer.backends.map((one) => one.id)
    const drained = balancer.drain(id!, { deadline: 5000 })
    // Half a frame in each direction: `hello`, and a masked `abc`.
    backend.socket.write('\x81\x05he', 'latin1')
    await socket.until(/he$/)
    socket.send(Buffer.from('\x81\x83\0\0\0\0a', 'latin1'))
    await until('it has arrived', () => backend.received.endsWith('a'))
    clock.advance(4999)
    assert.equal(balancer.tunnels.size, 1)
    clock.advance(1)
    backend.socket.write('llo\x81\x04none', 'latin1')
    socket.send(Buffer.from('bcnone', 'latin1'))
    await socket.until(new RegExp(`\x81\x05hello${goingAway}$`))
    await until('the backend has its frame', () => backend.ended)
    assert.equal(backend.received.slice(0, 9), '\x81\x83\0\0\0\0abc')
    assert.equal(unmasked(backend.received.slice(9)), goingAway)
    backend.socket.end()
    socket.socket.end()
    assert.equal(await drained, false)
    await until('nothing is left', () => balancer.exchanges === 0)
    const [line] = log.exchanges as unknown as { msg: string; tunnel: Record<string, unknown> }[]
    assert.match(line!.msg, /^tunnel closed by a drain after /)
    assert.deepEqual(
      { ...line!.tunnel, duration: 0 },
      {
        protocol: 'websocket',
        bytesSent: 13,
        bytesReceived: 13,
        duration: 0,
        closedBy: 'drain',
      },
    )
  })

  test('when the app closes it is ended in the same way, and cut if nobody answers', async (t) => {
    const { app, balancer, socket, backend } = await open(t, { drainDeadline: 50 })
    socket.socket.allowHalfOpen = true
    await app.close()
    assert.ok(socket.received.endsWith(goingAway))
    assert.equal(unmasked(backend.received), goingAway)
    assert.equal(balancer.exchanges, 0)
    socket.socket.end()
    await socket.closed()
  })

  test('at `maxAge` it is ended; other protocols get no frame', async (t) => {
    const clock = new ManualClock()
    const backend = await startUpgradeBackend(t, (head) => `${switching(head, 'other')}\r\n`)
    const upgrade = { protocols: ['other'], maxAge: 60_000 }
    const { client, balancer } = await start(t, { backends: [backend.url], clock, upgrade })
    const socket = await client()
    socket.send('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n')
    await socket.until(/\r\n\r\n$/)
    clock.advance(60_000)
    await until('both are ended', () => backend.connections[0]!.ended && socket.socket.readableEnded)
    assert.ok(socket.received.endsWith('\r\n\r\n'))
    assert.equal(backend.connections[0]!.received, '')
    backend.connections[0]!.socket.end()
    await until('nothing is left', () => balancer.exchanges === 0)
  })

  test('one that does not read holds up the other', async (t) => {
    const { socket, backend, balancer } = await open(t)
    socket.socket.pause()
    const chunk = Buffer.alloc(65_536)
    let written = 0
    while (backend.socket.write(chunk) || written < 64 * 1024 * 1024) {
      written += chunk.length
      if (backend.socket.writableLength > 16 * 1024 * 1024) break
      // oxlint-disable-next-line no-await-in-loop -- the kernel takes what it can
      await new Promise((resolve) => setImmediate(resolve))
    }
    const [tunnel] = [...balancer.tunnels]
    assert.ok(backend.socket.writableLength > 0)
    assert.ok(written < 64 * 1024 * 1024, `${written} bytes`)
    assert.ok(tunnel!.bytesReceived < written)
    socket.socket.resume()
    await until('all has come', () => tunnel!.bytesReceived >= written)
  })
})
