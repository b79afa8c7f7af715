import assert from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2'
import { createServer as createSecureServer } from 'node:https'
import { createServer as createNetServer, isIP, type AddressInfo, type LookupFunction } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { listenApp, startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { asked, startBackend, startBackends, type TestBackend } from '../support/backend.ts'
import { elsewhere } from '../support/certificates.ts'
import { startNameServer, type Zone } from '../support/name-server.ts'
import { until } from '../support/until.ts'

/** A name server that this process asks for every name. */
async function startOwnNameServer(t: TestContext, zones: Readonly<Record<string, Zone>> = {}) {
  const before = dns.getServers()
  const server = await startNameServer(t, zones)
  dns.setServers([server.address])
  t.after(() => dns.setServers(before))
  return server
}

/** The system answers for no name, until the test ends: whom it is asked for. */
function holdSystemLookups(t: TestContext) {
  const { lookup } = dns
  const waiting: string[] = []
  const ends: (() => void)[] = []
  t.mock.method(dns, 'lookup', ((name: string, options: object, callback: (error: Error) => void) => {
    if (isIP(name) !== 0) return lookup(name, options, callback as never)
    waiting.push(name)
    ends.push(() => callback(new Error('the test has ended')))
  }) as unknown as typeof dns.lookup)
  t.after(() => {
    for (const end of ends.splice(0)) end()
  })
  return waiting
}

/** The system knows no name. */
function emptySystem(t: TestContext, code = 'ENOTFOUND') {
  const { lookup } = dns
  t.mock.method(dns, 'lookup', ((name: string, options: object, callback: (error: Error) => void) => {
    if (isIP(name) !== 0) return lookup(name, options, callback as never)
    process.nextTick(() => callback(Object.assign(new Error(`getaddrinfo ${code} ${name}`), { code })))
  }) as unknown as typeof dns.lookup)
}

function named({ url }: TestBackend, name: string): string {
  return url.replace('127.0.0.1', name)
}

/** Backends on the same port of several addresses (127.0.0.0/8 is all loopback); each answers with its address. */
async function startAtAddresses(t: TestContext, ...addresses: string[]) {
  const requests = new Map<string, ServerResponse[]>()
  let port = 0
  for (const address of addresses) {
    const held: ServerResponse[] = []
    requests.set(address, held)
    const server = createServer((request, response) => {
      if (request.url === '/hold') {
        response.write(address)
        held.push(response)
      } else response.end(address)
    })
    server.listen(port, address)
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
    t.after(() => {
      server.close()
      server.closeAllConnections()
    })
  }
  return { port, held: (address: string) => requests.get(address)! }
}

test('a backend may be known by a name', async (t) => {
  const backend = await startBackend(t)
  const { url } = await startApp(t, { backends: [named(backend, 'localhost')] })
  assert.equal((await ask(url)).body, 'backend')
})

test('a name is looked up once, however many connections and backends have it', async (t) => {
  const names = await startOwnNameServer(t, { 'backend.example': { A: ['127.0.0.1'] } })
  const close = (_request: unknown, response: ServerResponse) => response.setHeader('connection', 'close').end('found')
  const [one, other] = [await startBackend(t, close), await startBackend(t, close)]
  const { url } = await startApp(t, { backends: [named(one, 'backend.example'), named(other, 'backend.example')] })
  for (let count = 0; count < 10; count++) assert.equal((await ask(url)).body, 'found')
  assert.deepEqual(names.asked.toSorted(), ['A backend.example', 'AAAA backend.example'])
})

test('probes find a backend where traffic does, and ask nobody a second time', async (t) => {
  const names = await startOwnNameServer(t, { 'backend.example': { A: ['127.0.0.1'] } })
  const backend = await startBackend(t)
  const app = Fastify()
  const healthCheck = { interval: 20, fastInterval: 20 }
  await app.register(balancer, { backends: [named(backend, 'backend.example')], healthCheck })
  const { url } = await listenApp(t, app)
  await until('five probes have come', () => backend.received.length >= 5)
  assert.equal((await ask(url)).body, 'backend')
  assert.deepEqual(names.asked.toSorted(), ['A backend.example', 'AAAA backend.example'])
})

describe('a name with several addresses', () => {
  test('all of them are used, and one that is dead fails no request', async (t) => {
    await startOwnNameServer(t, { 'backend.example': { A: ['127.0.0.1', '127.0.0.2', '127.0.0.3'] } })
    const { port, held } = await startAtAddresses(t, '127.0.0.1', '127.0.0.3')
    const { app, url } = await startApp(t, { backends: [{ url: `http://backend.example:${port}`, id: 'a' }] })
    const waiting = Array.from({ length: 12 }, () => ask(`${url}/hold`))
    const arrived = () => [held('127.0.0.1').length, held('127.0.0.3').length] as const
    await until('all have arrived', () => arrived()[0] + arrived()[1] === 12)
    for (const address of ['127.0.0.1', '127.0.0.3']) for (const response of held(address)) response.end()
    assert.ok((await Promise.all(waiting)).every(({ status, whole }) => status === 200 && whole))
    assert.deepEqual(app.balancer.backend('a').outcomes, { ok: 12 })
    assert.ok(Math.min(...arrived()) >= 4, `${arrived().join(' and ')} of 12`)
  })

  test('the other family is used where one does not answer', async (t) => {
    await startOwnNameServer(t, { 'backend.example': { A: ['127.0.0.1'], AAAA: ['::1'] } })
    const backend = await startBackend(t, (_request, response) => response.setHeader('connection', 'close').end('v4'))
    const { url } = await startApp(t, { backends: [named(backend, 'backend.example')] })
    for (let count = 0; count < 4; count++) assert.equal((await ask(url)).body, 'v4')
  })
})

test('an address that fails in TLS comes last after the first failure, and the certificate is that of the name', async (t) => {
  await startOwnNameServer(t, { 'elsewhere.example': { A: ['127.0.0.1', '127.0.0.2'] } })
  const good = createSecureServer(elsewhere, (_request, response) =>
    response.setHeader('connection', 'close').end('ok'),
  )
  good.listen(0, '127.0.0.2')
  await once(good, 'listening')
  const { port } = good.address() as AddressInfo
  const broken = createNetServer((socket) => socket.on('error', () => {}).end('this is not TLS'))
  broken.listen(port, '127.0.0.1')
  await once(broken, 'listening')
  t.after(() => {
    good.close()
    good.closeAllConnections()
    broken.close()
  })
  const { app, url } = await startApp(t, {
    backends: [{ url: `https://elsewhere.example:${port}`, id: 'a' }],
    pool: { tls: { ca: elsewhere.cert } },
  })
  for (let count = 0; count < 10; count++) await ask(url)
  assert.deepEqual(app.balancer.backend('a').outcomes, { 'tls-failed': 1, ok: 9 })
})

test('HTTP/2 in clear: an idle session is closed when its address has gone', async (t) => {
  const names = await startOwnNameServer(t, { 'backend.example': { A: ['127.0.0.1'], ttl: 0 } })
  const sessions = new Map<string, ServerHttp2Session[]>()
  let port = 0
  for (const address of ['127.0.0.1', '127.0.0.2']) {
    const own: ServerHttp2Session[] = []
    sessions.set(address, own)
    const server = createHttp2Server((_request, response) => response.end(address))
    server.on('session', (session) => own.push(session))
    server.listen(port, address)
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
    t.after(() => {
      server.close()
      for (const session of own) session.destroy()
    })
  }
  const { url } = await startApp(t, {
    backends: [`http://backend.example:${port}`],
    pool: { protocol: 'h2c', keepAliveTimeout: 600_000 },
  })
  assert.equal((await ask(url)).body, '127.0.0.1')
  names.zones.set('backend.example', { A: ['127.0.0.2'], ttl: 0 })
  const [old] = sessions.get('127.0.0.1')!
  await until('its session is closed', () => old!.destroyed)
  assert.equal((await ask(url)).body, '127.0.0.2')
})

describe('a name that moves', () => {
  test('new connections go to its new address; old ones are closed, a busy one after what it carries', async (t) => {
    const names = await startOwnNameServer(t, { 'backend.example': { A: ['127.0.0.1'], ttl: 0 } })
    const { port, held } = await startAtAddresses(t, '127.0.0.1', '127.0.0.2')
    const { app, url } = await startApp(t, {
      backends: [{ url: `http://backend.example:${port}`, id: 'a' }],
      pool: { keepAliveTimeout: 600_000 },
    })
    const busy = ask(`${url}/hold`)
    await until('one is held', () => held('127.0.0.1').length === 1)
    assert.equal((await ask(url)).body, '127.0.0.1')
    names.zones.set('backend.example', { A: ['127.0.0.2'], ttl: 0 })
    // The idle connection is kept alive for ten minutes by both sides; only its retirement can end it.
    let body = '127.0.0.1'
    while (body === '127.0.0.1') ({ body } = await ask(url))
    assert.equal(body, '127.0.0.2')
    const { pool } = app.balancer.backend('a')
    await until('only the busy one is left of the old', () => pool.stats.connected === 2)
    held('127.0.0.1')[0]!.end()
    const { status, whole, body: all } = await busy
    assert.deepEqual([status, whole, all], [200, true, '127.0.0.1'])
    await until('the old one is closed', () => pool.stats.connected === 1)
    for (let count = 0; count < 5; count++) assert.equal((await ask(url)).body, '127.0.0.2')
    assert.deepEqual(Object.keys(app.balancer.backend('a').outcomes), ['ok'])
  })

  test('is followed although nobody asks for anything meanwhile', async (t) => {
    const names = await startOwnNameServer(t, { 'backend.example': { A: ['127.0.0.1'], ttl: 0 } })
    const { port } = await startAtAddresses(t, '127.0.0.1', '127.0.0.2')
    const { app, url } = await startApp(t, { backends: [{ url: `http://backend.example:${port}`, id: 'a' }] })
    assert.equal((await ask(url)).body, '127.0.0.1')
    names.zones.set('backend.example', { A: ['127.0.0.2'], ttl: 0 })
    const { host } = app.balancer.backend('a')
    await until('it is followed', () => host!.addresses[0]!.address === '127.0.0.2')
    assert.deepEqual(app.balancer.backend('a').toJSON().addresses, ['127.0.0.2'])
    assert.equal(names.asked.filter((one) => one.startsWith('AAAA ')).length > 1, true)
  })
})

describe('a name server that fails', () => {
  for (const [how, zone] of [
    ['says that it fails', { code: 'SERVFAIL' }],
    ['does not answer', { silent: ['A', 'AAAA'] }],
  ] as const) {
    test(`takes nothing away: it ${how}`, async (t) => {
      emptySystem(t)
      const names = await startOwnNameServer(t, { 'backend.example': { A: ['127.0.0.1'], ttl: 0 } })
      const backend = await startBackend(t, (_request, response) => response.setHeader('connection', 'close').end('up'))
      const { app, url } = await startApp(t, { backends: [{ url: named(backend, 'backend.example'), id: 'a' }] })
      assert.equal((await ask(url)).body, 'up')
      names.zones.set('backend.example', zone)
      const before = names.asked.length
      await until('it was asked again', () => names.asked.length >= before + 2)
      for (let count = 0; count < 20; count++) assert.equal((await ask(url)).body, 'up')
      assert.deepEqual(Object.keys(app.balancer.backend('a').outcomes), ['ok'])
    })
  }

  test('and is started again: its news are followed', async (t) => {
    emptySystem(t)
    const names = await startOwnNameServer(t, { 'backend.example': { A: ['127.0.0.1'], ttl: 0 } })
    const { port } = await startAtAddresses(t, '127.0.0.1', '127.0.0.2')
    const { url } = await startApp(t, { backends: [`http://backend.example:${port}`] })
    assert.equal((await ask(url)).body, '127.0.0.1')
    await names.stop()
    names.zones.set('backend.example', { A: ['127.0.0.2'], ttl: 0 })
    for (let count = 0; count < 20; count++) assert.equal((await ask(url)).body, '127.0.0.1')
    await names.start()
    let body = '127.0.0.1'
    while (body === '127.0.0.1') ({ body } = await ask(url))
    assert.equal(body, '127.0.0.2')
  })
})

describe('a name that nobody answers for', () => {
  test('holds up no other name, no probe, and no thread but one', async (t) => {
    const dead = Array.from({ length: 40 }, (_, index) => `dead${index}.example`)
    const silent: Zone = { silent: ['A', 'AAAA'] }
    const names = await startOwnNameServer(t, {
      ...Object.fromEntries(dead.map((name) => [name, silent])),
      'one.example': { A: ['127.0.0.1'], ttl: 0 },
      'other.example': { A: ['127.0.0.1'], ttl: 0 },
    })
    const waiting = holdSystemLookups(t)
    const [one, other] = (await startBackends(t, 'one', 'other')) as [TestBackend, TestBackend]
    const app = Fastify()
    await app.register(balancer, {
      backends: [
        ...dead.map((name) => ({ url: `http://${name}`, id: name })),
        { url: named(one, 'one.example'), id: 'one' },
        { url: named(other, 'other.example'), id: 'other' },
      ],
      healthCheck: { interval: 100, timeout: 1000 },
      timeouts: { connect: 60_000 },
    })
    const { url } = await listenApp(t, app)
    await until('the system is asked for one', () => waiting.length > 0)
    const probesBefore = [one, other].map(({ received }) => received.length)
    const questionsBefore = names.asked.length
    for (let count = 0; count < 50; count++) {
      const { body, status } = await ask(url)
      assert.ok(status === 200 && (body === 'one' || body === 'other'), `${status} ${body}`)
    }
    await until('both are probed on', () =>
      [one, other].every(({ received }, index) => received.length > probesBefore[index]! + 10),
    )
    await until('healthy names are refreshed', () =>
      names.asked.slice(questionsBefore).some((question) => question === 'A one.example'),
    )
    assert.deepEqual([asked(one).length, asked(other).length], [25, 25])
    // Of all the dead ones, the system is asked for one at a time.
    assert.equal(waiting.length, 1)
  })

  test('is an outcome of the attempt, and found as soon as it is answered for', async (t) => {
    emptySystem(t)
    const names = await startOwnNameServer(t, { 'failing.example': { code: 'SERVFAIL' } })
    const backend = await startBackend(t)
    for (const name of ['missing.example', 'failing.example']) {
      const { app, url } = await startApp(t, {
        backends: [{ url: named(backend, name), id: 'named' }],
        failureHeader: true,
      })
      const { status, headers } = await ask(url)
      assert.deepEqual([status, headers['x-balancer-failure']], [502, 'dns-failed'], name)
      names.zones.set(name, { A: ['127.0.0.1'] })
      let body = ''
      while (body !== 'backend') ({ body } = await ask(url))
      assert.deepEqual(Object.keys(app.balancer.backend('named').outcomes).toSorted(), ['dns-failed', 'ok'])
    }
  })

  test('while it cannot be looked up, requests of any method go to another backend', async (t) => {
    const backend = await startBackend(t)
    const { app, url } = await startApp(t, {
      backends: [{ url: 'http://does-not-exist.invalid', id: 'nowhere' }, backend.url],
      timeouts: { connect: 60_000 },
    })
    for (const method of ['GET', 'POST', 'GET', 'POST']) assert.equal((await ask(url, { method })).body, 'backend')
    assert.deepEqual(Object.keys(app.balancer.backend('nowhere').outcomes), ['dns-failed'])
  })
})

test('what only the system knows is found', async (t) => {
  await startOwnNameServer(t)
  const { lookup } = dns
  t.mock.method(dns, 'lookup', ((name: string, options: object, callback: (...found: unknown[]) => void) => {
    if (name === 'printer.local') process.nextTick(() => callback(null, [{ address: '127.0.0.1', family: 4 }]))
    else lookup(name, options, callback as never)
  }) as unknown as typeof dns.lookup)
  const backend = await startBackend(t)
  const { url } = await startApp(t, { backends: [named(backend, 'printer.local')] })
  assert.equal((await ask(url)).body, 'backend')
})

test('a `lookup` of the user’s goes first, for traffic and probes', async (t) => {
  const names = await startOwnNameServer(t, { 'backend.example': { A: ['127.0.0.2'] } })
  const backend = await startBackend(t)
  const looked: string[] = []
  const lookup: LookupFunction = (name, { all }, callback) => {
    looked.push(name)
    process.nextTick(() => {
      if (all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
      else callback(null, '127.0.0.1', 4)
    })
  }
  const app = Fastify()
  await app.register(balancer, { backends: [named(backend, 'backend.example')], pool: { tls: { lookup } } })
  const { url } = await listenApp(t, app)
  assert.equal((await ask(url)).body, 'backend')
  assert.deepEqual([looked, names.asked], [['backend.example', 'backend.example'], []])
})

test('an app whose name server is silent closes at once', async (t) => {
  holdSystemLookups(t)
  const names = await startOwnNameServer(t, { 'dead.example': { silent: ['A', 'AAAA'] } })
  const { app, url } = await startApp(t, { backends: ['http://dead.example'], timeouts: { connect: 50 } })
  assert.equal((await ask(url)).status, 504)
  await until('it was asked', () => names.asked.length === 2)
  await app.close()
  // What c-ares still waited for would be asked again after 2 s.
  assert.ok(!process.getActiveResourcesInfo().includes('QueryReqWrap'))
})
