import balancer from '@fastify-balancer/balancer-core'
import httpProxy from '@fastify/http-proxy'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import dns from 'node:dns'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { WebSocketServer } from 'ws'
import { failOnCrash } from '../conformance/no-crash.ts'
import { listenApp } from '../support/app.ts'
import { startBackend } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { rawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'
import { handshake, startUpgradeBackend, switching } from '../support/upgrade-backend.ts'
import { openWebSocket, say, startEchoBackend } from '../support/websockets.ts'

failOnCrash()

/** Counts how often each URL reaches the hooks of an app. */
function counted(app: FastifyInstance): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  app.addHook('onRequest', async ({ url }) => void counts.set(url, (counts.get(url) ?? 0) + 1))
  return counts
}

for (const beside of ['nothing else', '@fastify/websocket', '@fastify/http-proxy'] as const)
  test(`localhost with two addresses, beside ${beside}: hooks run once at each`, async (t) => {
    const addresses = [{ address: '127.0.0.1' }, { address: '127.0.0.2' }]
    const lookup = dns.lookup as (...all: unknown[]) => void
    // Not every machine has two; where it has, one of them may be IPv6.
    t.mock.method(dns, 'lookup', (host: string, options: unknown, callback: (error: null, all: unknown) => void) => {
      if (host === 'localhost' && (options as { all?: boolean }).all === true) callback(null, addresses)
      else lookup(host === 'localhost' ? '127.0.0.1' : host, options, callback)
    })
    const backend = await startEchoBackend(t, { name: 'backend' })
    const app = Fastify()
    const hooks = counted(app)
    await app.register(balancer, { backends: [backend.url], prefix: '/balanced', drainDeadline: 20 })
    app.get('/mine', (_request, reply) => reply.forward())
    if (beside === '@fastify/websocket') {
      await app.register(websocket)
      app.get('/own', { websocket: true }, (socket) => void socket.on('message', () => socket.send('own')))
    }
    if (beside === '@fastify/http-proxy')
      await app.register(httpProxy, { upstream: backend.url, prefix: '/own', websocket: true })
    t.after(() => app.close())
    await app.listen({ port: 0, host: 'localhost' })
    const { port } = app.server.address() as AddressInfo
    for (const { address } of addresses) {
      const speaks = async (path: string, answer: string) => {
        const url = `${path}?${address}`
        assert.equal(await say(await openWebSocket(t, `ws://${address}:${port}${url}`), 'hello'), answer)
        assert.equal(hooks.get(url), 1, url)
      }
      await speaks('/balanced', 'backend:hello')
      await speaks('/mine', 'backend:hello')
      if (beside !== 'nothing else') await speaks('/own', beside === '@fastify/websocket' ? 'own' : 'backend:hello')
      const unknown = await rawClient(t, port, { host: address })
      unknown.send(handshake(`/unknown?${address}`))
      assert.match(await unknown.closed(), /^HTTP\/1\.1 404 /)
      assert.equal(hooks.get(`/unknown?${address}`), 1)
      const h2c = await rawClient(t, port, { host: address })
      h2c.send(
        'POST /balanced HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: 4\r\n\r\nbody',
      )
      assert.match(await h2c.until(/body/), /^HTTP\/1\.1 200 /)
    }
    await app.close()
  })

test('two balancers by host, each with its own options for upgrades', async (t) => {
  const one = await startEchoBackend(t, { name: 'one' })
  const two = await startUpgradeBackend(t, (head) => `${switching(head, 'chat')}\r\ntwo`)
  const plain = await startBackend(t, (request, response) => response.end(`plain ${request.headers.upgrade}`))
  const app = Fastify()
  const shared = { drainDeadline: 20 }
  const host = (name: string) => ({ constraints: { host: `${name}.example` }, name, ...shared })
  await app.register(balancer, { ...host('one'), backends: [one.url] })
  await app.register(balancer, { ...host('two'), backends: [two.url], upgrade: { protocols: ['chat'] } })
  await app.register(balancer, { ...host('off'), backends: [plain.url], upgrade: { protocols: [] } })
  await app.register(balancer, { ...host('other'), backends: [plain.url], upgrade: { protocols: ['chat'] } })
  const { port, url } = await listenApp(t, app)
  const ask = async (name: string, upgrade: string, pattern: RegExp) => {
    const client = await rawClient(t, port)
    client.send(
      handshake('/').replace('a.example', `${name}.example`).replace('upgrade: websocket', `upgrade: ${upgrade}`),
    )
    assert.match(await client.until(pattern), pattern)
  }
  assert.equal(await say(await openWebSocket(t, url, { headers: { host: 'one.example' } }), 'hi'), 'one:hi')
  await ask('two', 'chat', /^HTTP\/1\.1 101 [^]*\r\n\r\ntwo$/)
  await ask('off', 'websocket', /^HTTP\/1\.1 426 /)
  await ask('off', 'chat', /^HTTP\/1\.1 200 [^]*plain undefined/)
  await ask('other', 'websocket', /^HTTP\/1\.1 200 [^]*plain undefined/)
  await ask('nobody', 'websocket', /^HTTP\/1\.1 404 /)
})

const listeners = {
  'over TLS': { https: localhost },
  'beside HTTP/2': { http2: true, https: { ...localhost, allowHTTP1: true } },
}

for (const [name, options] of Object.entries(listeners))
  test(`${name}: upgrades, and what is none`, async (t) => {
    const backend = await startEchoBackend(t, { name: 'backend' })
    const app = Fastify(options as object) as unknown as FastifyInstance
    const hooks = counted(app)
    await app.register(websocket)
    await app.register(balancer, { backends: [backend.url], prefix: '/balanced', drainDeadline: 20 })
    app.get('/mine', (_request, reply) => reply.forward())
    app.get('/own', { websocket: true }, (socket) => void socket.on('message', () => socket.send('own')))
    const { url, port } = await listenApp(t, app)
    const trusted = { ca: localhost.cert }
    for (const [path, answer] of [
      ['/balanced', 'backend:x'],
      ['/mine', 'backend:x'],
      ['/own', 'own'],
    ] as const) {
      assert.equal(await say(await openWebSocket(t, `${url}${path}`, trusted), 'x'), answer)
      assert.equal(hooks.get(path), 1)
    }
    const socket = connectTls({ ...trusted, port, host: '127.0.0.1', ALPNProtocols: ['http/1.1'] })
    t.after(() => socket.destroy())
    let received = ''
    socket.setEncoding('latin1').on('data', (text: string) => (received += text))
    // Without a body, one is parsed again on every Node; with one, on those before 24.9.
    for (const body of ['', 'second']) {
      const fields = `host: a\r\nconnection: upgrade\r\nupgrade: TLS/1.3\r\ncontent-length: ${body.length}`
      socket.write(`POST /balanced HTTP/1.1\r\n${fields}\r\n\r\n${body}`)
      await until('it is answered', () => /content-length: 0\r\n[^]*\r\n\r\n$|second\r\n0\r\n\r\n$/i.test(received))
      assert.match(received, /^HTTP\/1\.1 200 /)
      received = ''
    }
    await app.close()
  })

describe('a listener of the user', () => {
  test('gets upgrades on its own path, where the app has an ordinary route as well', async (t) => {
    const backend = await startEchoBackend(t, { name: 'backend' })
    const app = Fastify()
    await app.register(balancer, { backends: [backend.url], prefix: '/balanced', drainDeadline: 20 })
    app.get('/graphql', async () => 'over HTTP')
    app.get('/mine', (_request, reply) => reply.forward())
    const server = new WebSocketServer({ noServer: true })
    app.server.on('upgrade', (request, socket, head) => {
      if (request.url === '/graphql')
        server.handleUpgrade(request, socket, head, (one) => one.on('message', () => one.send('theirs')))
    })
    app.addHook('preClose', async () => server.clients.forEach((one) => one.terminate()))
    const { url } = await listenApp(t, app)
    assert.equal(await say(await openWebSocket(t, `${url}/graphql`), 'x'), 'theirs')
    assert.equal(await say(await openWebSocket(t, `${url}/mine`), 'x'), 'backend:x')
    assert.equal(await say(await openWebSocket(t, `${url}/balanced`), 'x'), 'backend:x')
    assert.equal((await app.inject('/graphql')).body, 'over HTTP')
  })

  test('may take its time: nobody else answers what takes no route', async (t) => {
    const backend = await startEchoBackend(t)
    const app = Fastify()
    await app.register(balancer, { backends: [backend.url], prefix: '/balanced' })
    const server = new WebSocketServer({ noServer: true })
    app.server.on('upgrade', (...given) => {
      // As where it looks up who asks.
      setImmediate(() => server.handleUpgrade(...given, (one) => one.on('message', () => one.send('theirs'))))
    })
    app.addHook('preClose', async () => server.clients.forEach((one) => one.terminate()))
    const { url } = await listenApp(t, app)
    assert.equal(await say(await openWebSocket(t, `${url}/theirs`), 'x'), 'theirs')
  })
})

test("a user's own route inside the prefix of @fastify/http-proxy, which gives it to the app itself", async (t) => {
  const [ours, theirs] = await Promise.all([
    startEchoBackend(t, { name: 'ours' }),
    startEchoBackend(t, { name: 'theirs' }),
  ])
  const app = Fastify()
  const hooks = counted(app)
  await app.register(balancer, { backends: [ours.url], prefix: '/balanced', drainDeadline: 20 })
  await app.register(httpProxy, { upstream: theirs.url, websocket: true })
  app.get('/mine', (_request, reply) => reply.forward())
  const { url } = await listenApp(t, app)
  for (const [path, answer] of [
    ['/anything', 'theirs:x'],
    ['/balanced', 'ours:x'],
    ['/mine', 'ours:x'],
  ] as const) {
    assert.equal(await say(await openWebSocket(t, `${url}${path}`), 'x'), answer)
    assert.equal(hooks.get(path), 1, path)
  }
})
