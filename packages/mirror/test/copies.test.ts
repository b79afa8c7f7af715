import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Agent, type IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'
import { ask } from '../../../test/support/ask.ts'
import { readAll, startBackend } from '../../../test/support/backend.ts'
import { rawClient } from '../../../test/support/raw.ts'
import { until } from '../../../test/support/until.ts'
import { mirrored } from './stage.ts'

/** A server that keeps the bodies that it gets. */
async function reading(t: TestContext) {
  const bodies: string[] = []
  const server = await startBackend(t, (request, response) => {
    void readAll(request).then((body) => {
      bodies.push(body)
      response.end('mirror')
    })
  })
  return { ...server, bodies }
}

const fieldsOf = ({ rawHeaders }: IncomingMessage) =>
  rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []))

test('a copy is what the backend gets, and a mark', async (t) => {
  const copies = await startBackend(t)
  const { app, url, backend, idle, view, outcomes } = await mirrored(
    t,
    { to: [copies.url] },
    {
      name: 'shop ä',
      rewrite: {
        stripPrefix: false,
        request: ({ out }) => {
          out.path = `/v2${out.path}`
          out.headers['x-rewritten'] = 'yes'
        },
      },
    },
  )
  app.balancer.addHook('onAttemptStart', function tracer(attempt) {
    attempt.setHeader('traceparent', '00-1-2-01')
  })
  const headers = [
    'Host',
    'shop.example',
    'X-Two',
    'a',
    'X-Two',
    'b',
    'Cookie',
    'c=1',
    'Connection',
    'X-Gone',
    'X-Gone',
    '1',
  ]
  const { body } = await ask(`${url}/a%2Fb?q=1`, { headers })
  assert.equal(body, 'backend')
  await idle()
  const [original] = backend.received
  const [copy] = copies.received
  assert.deepEqual([copy!.method, copy!.url], ['GET', '/v2/a%2Fb?q=1'])
  assert.deepEqual(fieldsOf(copy!), [...fieldsOf(original!), 'x-balancer-mirror: shop%20%C3%A4'])
  const { host, traceparent, 'x-rewritten': rewritten, 'x-gone': gone, 'x-forwarded-for': client } = copy!.headers
  assert.deepEqual(
    [host, traceparent, rewritten, gone, client],
    ['shop.example', '00-1-2-01', 'yes', undefined, '127.0.0.1'],
  )
  assert.equal(original!.headers['x-balancer-mirror'], undefined)
  assert.deepEqual(outcomes(), { '2xx': 1 })
  assert.deepEqual([view().url, view().sent, view().dropped], [copies.url, 1, { body: 0, full: 0 }])
})

test("with the backend's own host, a copy has the mirror's own", async (t) => {
  const copies = await startBackend(t)
  const { url, idle } = await mirrored(t, { to: [copies.url] }, { host: 'backend' })
  await ask(url, { headers: { host: 'shop.example' } })
  await idle()
  assert.equal(copies.received[0]!.headers.host, new URL(copies.url).host)
})

test('connections are kept, after HEAD too, and each server gets every copy', async (t) => {
  const first = await startBackend(t)
  const second = await startBackend(t, (_request, response) => response.writeHead(503).end())
  const { url, idle, outcomes } = await mirrored(t, { to: [first.url, second.url] })
  const connections = { first: 0, second: 0 }
  first.server.on('connection', () => connections.first++)
  second.server.on('connection', () => connections.second++)
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'HEAD', 'GET']) {
    await ask(url, { method, headers: { host: `${method}.example` } })
    await idle()
  }
  assert.deepEqual(
    [first, second].map(({ received }) => received.map(({ method }) => method).join(' ')),
    ['GET HEAD OPTIONS HEAD GET', 'GET HEAD OPTIONS HEAD GET'],
  )
  assert.deepEqual(connections, { first: 1, second: 1 })
  assert.deepEqual([outcomes(0), outcomes(1)], [{ '2xx': 5 }, { '5xx': 5 }])
})

test('only methods without effects are copied, unless others are listed', async (t) => {
  const copies = await reading(t)
  const { app, url, idle, view } = await mirrored(t, { to: [copies.url] })
  await ask(url, { method: 'POST', body: 'order' })
  await ask(url, { method: 'DELETE' })
  assert.deepEqual([view().sent, view().dropped], [0, { body: 0, full: 0 }])
  const change = await app.balancer.prepare(
    { backends: app.balancer.backends.map((one) => one.url) },
    { beside: { mirror: { to: [copies.url], methods: ['POST', 'PUT'] } } },
  )
  change.commit()
  await ask(url, { method: 'POST', body: 'order' })
  await ask(url, { method: 'PUT' })
  await ask(url, { method: 'PATCH', body: 'x' })
  await ask(url)
  await idle()
  assert.deepEqual(
    copies.received.map(({ method, headers }) => [method, headers['content-length']]),
    [
      ['POST', '5'],
      ['PUT', '0'],
    ],
  )
  assert.deepEqual(copies.bodies, ['order', ''])
})

test('the share is drawn from the random numbers of the balancer, for requests that may be copied only', async (t) => {
  const copies = await startBackend(t)
  const numbers = [0.09, 0.1, 0.99, 0, 0.1]
  const { url, idle } = await mirrored(t, { to: [copies.url], share: 0.1 }, { random: () => numbers.shift()! })
  for (let path = 0; path < 5; path++) {
    await ask(`${url}/${path}`)
    await ask(`${url}/${path}`, { method: 'POST' })
  }
  await idle()
  assert.deepEqual(numbers, [])
  assert.deepEqual(
    copies.received.map((request) => request.url),
    ['/0', '/3'],
  )
})

test('bodies of the longest length are copied; longer ones, and those that are streamed, are counted', async (t) => {
  const copies = await reading(t)
  const backends = [(await reading(t)).url]
  const given = { to: [copies.url], methods: ['POST'], maxBody: 1000 }
  const { url, port, idle, view } = await mirrored(t, given, { backends })
  const post = (body: string, headers = {}) => ask(url, { method: 'POST', body, headers })
  assert.equal((await post('a'.repeat(1000))).status, 200)
  assert.equal((await post('b'.repeat(1001))).status, 200)
  assert.equal((await post('c'.repeat(65_537))).status, 200)
  assert.equal((await post('d', { 'transfer-encoding': 'chunked' })).status, 200)
  const client = await rawClient(t, port)
  client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n')
  await client.until(/100 Continue/)
  client.send('e')
  await client.until(/200 OK/)
  await idle()
  assert.deepEqual(copies.bodies, ['a'.repeat(1000)])
  assert.deepEqual([view().sent, view().dropped], [1, { body: 4, full: 0 }])
})

test('a body that arrives slowly is copied whole', async (t) => {
  const copies = await reading(t)
  const { port, idle } = await mirrored(t, { to: [copies.url], methods: ['POST'] })
  const client = await rawClient(t, port)
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nsl')
  await new Promise((resolve) => setImmediate(resolve))
  client.send('owly')
  await client.until(/200 OK/)
  await idle()
  assert.deepEqual(copies.bodies, ['slowly'])
})

test('a retried request is copied once', async (t) => {
  const copies = await startBackend(t)
  const broken = await startBackend(t, (request) => request.socket.destroy())
  const good = await startBackend(t)
  const { url, idle, view } = await mirrored(t, { to: [copies.url] }, { backends: [broken.url, good.url] })
  assert.equal((await ask(url)).status, 200)
  await idle()
  assert.deepEqual([broken.received.length, good.received.length, copies.received.length], [1, 1, 1])
  assert.equal(view().sent, 1)
})

test('a copy is not copied: two balancers that mirror to each other come to an end', async (t) => {
  const copies = await startBackend(t)
  const first = await mirrored(t, { to: [copies.url] })
  const second = await mirrored(t, { to: [first.url] }, { backends: [first.backend.url] })
  await ask(second.url)
  await second.idle()
  await first.idle()
  // The original, and the copy that the first balancer got as any other request.
  assert.equal(first.backend.received.length, 2)
  assert.deepEqual([second.view().sent, first.view().sent, copies.received.length], [1, 0, 0])
})

test('upgrades and calls of gRPC are not copied', async (t) => {
  const copies = await startBackend(t)
  const { url, port, backend, view } = await mirrored(t, { to: [copies.url], methods: ['GET', 'POST'] })
  backend.server.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  const client = await rawClient(t, port)
  client.send(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await client.closed()
  await ask(url, { method: 'POST', body: 'x', headers: { 'content-type': 'application/grpc-web+proto' } })
  assert.deepEqual([view().sent, view().dropped], [0, { body: 0, full: 0 }])
})

test('a copy goes on when its client leaves', async (t) => {
  let answer: (() => void) | undefined
  const copies = await startBackend(t, (_request, response) => (answer = () => void response.end()))
  const hanging = await startBackend(t, () => {})
  const { url, idle, outcomes } = await mirrored(t, { to: [copies.url] }, { backends: [hanging.url] })
  const leaving = new AbortController()
  const asked = ask(url, { signal: leaving.signal })
  await until('both have it', () => hanging.received.length === 1 && answer !== undefined)
  leaving.abort()
  await asked
  await until('the backend is told', () => hanging.sockets.size === 0)
  answer!()
  await idle()
  assert.deepEqual(outcomes(), { '2xx': 1 })
})

test('originals that have come in the same moment are sent before any copy', async (t) => {
  const copies = await startBackend(t)
  const { app, idle } = await mirrored(t, { to: [copies.url] })
  const order: string[] = []
  const created = (message: unknown) => {
    const { origin } = (message as { request: { origin: string | URL } }).request
    order.push(new URL(origin).origin === copies.url ? 'copy' : 'original')
  }
  subscribe('undici:request:create', created)
  t.after(() => unsubscribe('undici:request:create', created))
  await Promise.all([app.inject('/1'), app.inject('/2'), app.inject('/3')])
  await idle()
  assert.equal(order.join(' '), 'original original original copy copy copy')
})

test('the next request of a connection does not wait for the copy of the one before', async (t) => {
  const hanging = await startBackend(t, () => {})
  const { url, view } = await mirrored(t, { to: [hanging.url] })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  for (let path = 0; path < 3; path++) assert.equal((await ask(`${url}/${path}`, { agent })).body, 'backend')
  await until('all copies have arrived', () => hanging.received.length === 3)
  assert.deepEqual([view().inFlight, view().sent], [3, 3])
})
