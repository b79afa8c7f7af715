import plugin, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createSecureServer, type Http2Server, type Http2ServerResponse } from 'node:http2'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { connect as tls } from 'node:tls'
import { listenApp } from '../support/app.ts'
import { listen } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { rawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'
import { accept, handshake, switching } from '../support/upgrade-backend.ts'
import { open, Peer, startWebSocketBackend, webSocketClient } from '../support/websocket-peer.ts'
import { failOnCrash } from './no-crash.ts'

failOnCrash()

describe('HTTP/2 clients that ask for a WebSocket', () => {
  async function start(t: TestContext, before: (app: FastifyInstance) => unknown, options: BalancerOptions = {}) {
    let onAsked: (peer: Peer) => void = (peer) => open(peer)
    const backend = await startWebSocketBackend(t, 'HTTP/1.1', (peer) => onAsked(peer))
    const app = Fastify({ http2: true } as object) as unknown as FastifyInstance
    await before(app)
    await app.register(plugin, { backends: [backend.url], ...options })
    const { port } = await listenApp(t, app)
    const client = await webSocketClient(t, 'HTTP/2', port)
    /** The status and body of the answer; the stream is closed then, without a reset, and its connection is not. */
    const ask = async (path: string, fields: Readonly<Record<string, string>> = {}) => {
      const peer = await client.ask(path, fields)
      await until('it is answered', () => peer.status !== 0)
      if (peer.status !== 200) {
        await until('it is closed', () => peer.closed)
        assert.equal(peer.resetCode, 0)
        assert.equal(client.session!.destroyed, false)
      }
      return peer
    }
    /** What the backend does with the next requests. */
    const asked = (then: (peer: Peer) => void) => void (onAsked = then)
    return { app, backend, balancer: app.balancer, session: client.session!, ask, asked }
  }

  test('it is announced beside the settings of others; each request goes one way, once', async (t) => {
    const seen: string[] = []
    const { ask, session, backend, balancer } = await start(
      t,
      (app) => {
        const server = app.server as unknown as Http2Server
        server.updateSettings({ maxConcurrentStreams: 77 })
        app.addHook('onRequest', async (request) => {
          seen.push(`${request.method} ${request.url} ${String(request.headers[':protocol'])}`)
        })
        app.get('/own', async () => 'mine')
        app.get('/forwarded', (_request, reply) => void reply.forward())
      },
      { prefix: '/ws', rewrite: { stripPrefix: true } },
    )
    assert.equal(session.remoteSettings.enableConnectProtocol, true)
    assert.equal(session.remoteSettings.maxConcurrentStreams, 77)
    const opened = await ask('/ws/a')
    assert.equal(opened.status, 200)
    assert.deepEqual(backend.peers[0]!.fields![':path'], '/a')
    const forwarded = await ask('/forwarded')
    assert.equal(forwarded.status, 200)
    assert.equal(backend.peers.length, 2)
    // A success of the app's own would say that the WebSocket is open.
    const own = await ask('/own')
    assert.deepEqual([own.status, own.received], [501, 'mine'])
    assert.equal((await ask('/none')).status, 404)
    assert.deepEqual(seen, [
      'GET /ws/a websocket',
      'GET /forwarded websocket',
      'GET /own websocket',
      'GET /none websocket',
    ])
    assert.equal((await ask('/ws', { ':protocol': 'connect-udp' })).status, 501)
    const plain = session.request({ ':method': 'CONNECT', ':authority': 'a.example:443' }, { endStream: false })
    const [{ ':status': status }] = (await once(plain, 'response')) as [{ ':status': number }]
    assert.equal(status, 405)
    plain.resume()
    await once(plain, 'close')
    assert.equal(plain.rstCode, 0)
    assert.equal(seen.length, 4)
    opened.reset()
    forwarded.reset()
    await until('nothing is left', () => balancer.exchanges === 0)
  })

  test('it is judged as any other request', async (t) => {
    const { ask, backend, balancer } = await start(t, () => {})
    for (const path of ['/x/../y', '/%2e%2e/y', '/x#y', '/a%zz']) assert.equal((await ask(path)).status, 400, path)
    assert.equal((await ask('/', { host: 'b.example' })).status, 400)
    assert.equal((await ask('/', { 'content-length': '3' })).status, 400)
    assert.equal(backend.peers.length, 0)
    // There is no key over HTTP/2, nor an accept.
    const opened = await ask('/', { 'sec-websocket-key': 'foreign', 'content-length': '0' })
    assert.equal(opened.status, 200)
    assert.notEqual(backend.peers[0]!.fields!['sec-websocket-key'], 'foreign')
    assert.equal(opened.fields!['sec-websocket-accept'], undefined)
    assert.equal(balancer.tunnels.size, 1)
    opened.reset()
  })

  test('others that listen for CONNECT get theirs, and only theirs', async (t) => {
    const heard: string[] = []
    const { ask, backend } = await start(
      t,
      (app) => {
        app.server.on('connect', (request: { url?: string }, response: unknown) => {
          heard.push(request.url!)
          ;(response as Http2ServerResponse).stream.respond({ ':status': 418 }, { endStream: true })
        })
      },
      { prefix: '/ws' },
    )
    const opened = await ask('/ws/a')
    assert.equal(opened.status, 200)
    assert.equal((await ask('/other')).status, 418)
    assert.equal((await ask('/ws/b', { ':protocol': 'connect-udp' })).status, 418)
    assert.deepEqual(heard, ['/other', '/ws/b'])
    assert.equal(backend.peers.length, 1)
    opened.reset()
  })

  test('it is not announced where no balancer opens WebSockets; new connections are told when one does', async (t) => {
    const { app, backend, session, balancer } = await start(t, () => {}, { upgrade: false })
    assert.equal(session.remoteSettings.enableConnectProtocol, false)
    const change = await balancer.prepare({ backends: [backend.url] })
    change.commit()
    const client = await webSocketClient(t, 'HTTP/2', (app.server.address() as AddressInfo).port)
    assert.equal(client.session!.remoteSettings.enableConnectProtocol, true)
  })

  test('a wrong accept is refused, and one that sends no more from the start still gets everything', async (t) => {
    const { balancer, backend, session, ask, asked } = await start(t, () => {})
    asked((peer) => peer.send(`${switching('sec-websocket-key: another\r\n')}\r\n`))
    assert.equal((await ask('/')).status, 502)
    assert.equal(balancer.backends[0]!.outcomes['upgrade-key-mismatch'], 1)
    asked((peer) => open(peer))
    const pseudo = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/', ':authority': 'a' }
    const stream = session.request(pseudo, { endStream: true })
    const one = new Peer(stream, false)
    await until('the backend sees the end', () => backend.peers[1]?.ended === true)
    backend.peers[1]!.end('last')
    await until('it is closed', () => one.closed)
    assert.deepEqual([one.received, one.resetCode], ['last', 0])
    await until('nothing is left', () => balancer.exchanges === 0)
  })

  test('over TLS, beside HTTP/1.1 on the same port', async (t) => {
    const backend = await startWebSocketBackend(t, 'HTTP/1.1')
    const https = { allowHTTP1: true, key: localhost.key, cert: localhost.cert }
    const app = Fastify({ http2: true, https } as object) as unknown as FastifyInstance
    app.get('/own', async () => 'mine')
    await app.register(plugin, { backends: [backend.url] })
    const { port } = await listenApp(t, app)
    const session = connect(`https://localhost:${port}`, { ca: localhost.cert })
    t.after(() => session.destroy())
    await once(session, 'remoteSettings')
    const pseudo = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/' }
    const stream = session.request(pseudo, { endStream: false })
    const [{ ':status': status }] = (await once(stream, 'response')) as [{ ':status': number }]
    assert.equal(status, 200)
    backend.peers[0]!.send('hello')
    const [greeting] = (await once(stream, 'data')) as [Buffer]
    assert.equal(greeting.toString(), 'hello')
    stream.close()
    const client = tls({ port, host: '127.0.0.1', ca: localhost.cert, servername: 'localhost' })
    t.after(() => client.destroy())
    client.setEncoding('latin1')
    let received = ''
    client.on('data', (text: string) => (received += text))
    // An upgrade that is ignored, and one that is not.
    client.write('GET /own HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n')
    await until('it is answered', () => received.endsWith('mine'))
    client.write(handshake('/'))
    await until('it is open', () => / 101 .*\r\n\r\n$/s.test(received))
    backend.peers[1]!.send('hello')
    await until('it has come', () => received.endsWith('hello'))
    client.destroy()
    await until('nothing is left', () => app.balancer.exchanges === 0)
    // Node closes the connection of a CONNECT for which nobody listens.
    const asking = tls({ port, host: '127.0.0.1', ca: localhost.cert, servername: 'localhost' })
    t.after(() => asking.destroy())
    let answered = ''
    asking.on('data', (chunk: Buffer) => (answered += chunk.toString('latin1')))
    asking.write('CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n\r\n')
    await once(asking, 'close')
    assert.equal(answered, '')
  })
})

describe('backends of HTTP/2', () => {
  async function start(t: TestContext, options: BalancerOptions) {
    const app = Fastify()
    await app.register(plugin, options)
    const { port } = await listenApp(t, app)
    const client = await webSocketClient(t, 'HTTP/1.1', port)
    const ask = async (path: string, fields: Readonly<Record<string, string>> = {}) => {
      const peer = await client.ask(path, fields)
      t.after(() => peer.stream.destroy())
      await until('it is answered', () => peer.status !== 0)
      return peer
    }
    return { app, balancer: app.balancer, ask, raw: () => rawClient(t, port) }
  }

  test('one that takes no extended CONNECT is passed over; it is not to blame', async (t) => {
    const without = await startWebSocketBackend(t, 'HTTP/2', undefined, false)
    const backend = await startWebSocketBackend(t, 'HTTP/2')
    const { ask, balancer } = await start(t, { backends: [without.url, backend.url], pool: { protocol: 'h2c' } })
    const opened = [await ask('/'), await ask('/')]
    assert.deepEqual(
      opened.map(({ status }) => status),
      [101, 101],
    )
    assert.deepEqual([without.peers.length, backend.peers.length], [0, 2])
    const [passedOver] = balancer.backends
    assert.deepEqual({ ...passedOver!.outcomes }, { 'upgrade-unsupported': 2 })
    assert.equal(passedOver!.penalty, 0)
    assert.equal(passedOver!.isIdle, true)
    for (const one of opened) one.reset()
    await until('nothing is left', () => balancer.exchanges === 0)
  })

  test('over TLS, HTTP/1.1 is spoken with it then, and for other protocols', async (t) => {
    const server = createSecureServer({ allowHTTP1: true, key: localhost.key, cert: localhost.cert })
    server.on('request', (request, response) => response.end(request.httpVersion))
    const heard: (string | undefined)[] = []
    server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
      const { upgrade, 'sec-websocket-key': key } = request.headers
      heard.push(upgrade)
      socket.on('error', () => {})
      socket.write(`${switching(`sec-websocket-key: ${String(key)}\r\n`, upgrade)}\r\nhello`)
    })
    const url = (await listen(server)).replace('http://127.0.0.1', 'https://localhost')
    t.after(() => void server.close())
    const { ask, balancer, raw } = await start(t, {
      backends: [url],
      pool: { protocol: 'http2', tls: { ca: localhost.cert } },
      upgrade: { protocols: ['websocket', 'other'] },
    })
    const one = await ask('/')
    assert.deepEqual([one.status, one.fields!['sec-websocket-accept']], [101, accept])
    await until('it has come', () => one.received === 'hello')
    const other = await raw()
    other.send('GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: other\r\n\r\n')
    await other.until(/ 101 .*hello$/s)
    assert.deepEqual(heard, ['websocket', 'other'])
    const plain = await raw()
    plain.send('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    assert.match(await plain.closed(), /\r\n2\.0\r\n/)
    assert.equal(balancer.tunnels.size, 2)
    one.reset()
    other.socket.destroy()
    await until('nothing is left', () => balancer.exchanges === 0 && balancer.backends[0]!.isIdle)
  })

  test('in clear, another protocol is a failure; and so is what is no handshake', async (t) => {
    const backend = await startWebSocketBackend(t, 'HTTP/2')
    const upgrade = { protocols: ['websocket', 'other'] }
    const { raw } = await start(t, { backends: [{ url: backend.url, protocol: 'h2c' }], upgrade })
    for (const [line, status] of [
      ['upgrade: other', 502],
      ['upgrade: websocket', 400],
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const client = await raw()
      client.send(`GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\n${line}\r\n\r\n`)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      assert.match(await client.closed(), new RegExp(`^HTTP/1.1 ${status} `))
    }
    assert.equal(backend.peers.length, 0)
  })

  test('its GOAWAY leaves tunnels alone, and a new connection takes the next; requests share it with them', async (t) => {
    const backend = await startWebSocketBackend(t, 'HTTP/2')
    const { ask, balancer, app } = await start(t, {
      backends: [backend.url],
      pool: { protocol: 'h2c', connections: 1 },
    })
    const one = await ask('/')
    const [session] = [...backend.sessions]
    session!.close()
    const other = await ask('/')
    assert.equal(backend.sessions.size, 2)
    const { stats: both } = balancer.backends[0]!.pool
    assert.deepEqual(both, { connected: 2, free: 0, pending: 0, queued: 0, running: 2, allowed: 101 })
    one.send('one')
    other.send('other')
    await until('both have arrived', () => backend.peers.every(({ received }) => received !== ''))
    one.end()
    backend.peers[0]!.end()
    await until('its connection is closed', () => backend.sessions.size === 1)
    other.reset()
    await until('nothing is left', () => balancer.exchanges === 0)
    const { stats: last } = balancer.backends[0]!.pool
    assert.deepEqual(last, { connected: 1, free: 1, pending: 0, queued: 0, running: 0, allowed: 100 })
    await app.close()
    await until('no connection is left', () => backend.sessions.size === 0)
  })
})
