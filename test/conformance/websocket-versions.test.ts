import plugin, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate as immediate } from 'node:timers/promises'
import { listenApp } from '../support/app.ts'
import { unusedOrigin } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { LogLines } from '../support/log-lines.ts'
import { until } from '../support/until.ts'
import { accept } from '../support/upgrade-backend.ts'
import {
  answer,
  hint,
  open,
  startWebSocketBackend,
  webSocketClient,
  type Peer,
  type Version,
} from '../support/websocket-peer.ts'
import { failOnCrash } from './no-crash.ts'

failOnCrash()

const versions: readonly Version[] = ['HTTP/1.1', 'HTTP/2']

function appFor(version: Version, log?: LogLines): FastifyInstance {
  return Fastify({ ...(log && { logger: log }), ...(version === 'HTTP/2' && { http2: true }) } as object)
}

/** A balancer between a client and a backend of these versions, with a hook of the app's. */
async function start(t: TestContext, client: Version, backend: Version, more: BalancerOptions = {}) {
  // A time of 0 would mean: not yet.
  const clock = new ManualClock(1)
  const log = new LogLines()
  const app = appFor(client, log)
  let hooks = 0
  app.addHook('onRequest', async (request, reply) => {
    hooks++
    reply.header('x-hook', request.method)
    if (request.headers.authorization === 'none') await reply.code(401).send({ no: true })
  })
  let onAsked: (peer: Peer) => void = (peer) => open(peer)
  const server = await startWebSocketBackend(t, backend, (peer) => onAsked(peer))
  await app.register(plugin, {
    backends: [server.url],
    clock,
    forwarded: false,
    upgrade: { idle: 1000, linger: 200 },
    pool: { protocol: backend === 'HTTP/2' ? 'h2c' : 'http1' },
    ...more,
  })
  const clients: Peer[] = []
  // Before the app is closed, which waits for tunnels on a clock that stands still.
  t.after(() => {
    for (const { stream } of [...clients, ...server.peers]) stream.destroy()
  })
  const { port } = await listenApp(t, app)
  const { ask: askOnce, session } = await webSocketClient(t, client, port)
  const ask: typeof askOnce = async (...handshake) => {
    const peer = await askOnce(...handshake)
    clients.push(peer)
    return peer
  }
  return {
    app,
    balancer: app.balancer,
    clock,
    log,
    ask,
    session,
    sessions: server.sessions,
    peers: server.peers,
    get hooks() {
      return hooks
    },
    /** What the backend does with the next requests. */
    asked(then: (peer: Peer) => void) {
      onAsked = then
    },
    /** An open tunnel, from both ends. */
    async tunnel() {
      onAsked = (peer) => open(peer)
      const one = await ask('/chat')
      await until('it is open', () => one.fields !== undefined)
      return { one, other: server.peers.at(-1)! }
    },
  }
}

const goingAway = '\x88\x02\x03\xe9'
/** A frame that a backend got, without its mask. */
function unmasked(frame: string): string {
  const bytes = Buffer.from(frame, 'latin1')
  const [head, mask, payload] = [bytes.subarray(0, 2), bytes.subarray(2, 6), bytes.subarray(6)]
  assert.equal(head[1], 0x82)
  return `\x88\x02${Buffer.from(payload.map((byte, index) => byte ^ mask[index]!)).toString('latin1')}`
}

for (const client of versions)
  for (const backend of versions)
    describe(`a WebSocket from ${client} to ${backend}`, () => {
      const success = client === 'HTTP/2' ? 200 : 101

      test('its handshake crosses, and so does a refusal; no byte goes ahead of the answer', async (t) => {
        const it = await start(t, client, backend)
        const { ask, peers, balancer } = it
        // The backend takes its time, and says something before.
        it.asked(() => {})
        const fields = {
          origin: 'http://b.example',
          cookie: 'a=1; b=2',
          'sec-websocket-protocol': 'a, b',
          'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
        }
        const one = await ask('/chat?a=%20b', fields)
        one.send('one')
        await until('it was asked', () => peers.length === 1)
        const [other] = peers
        const { ':scheme': _, ':authority': authority, host, ...received } = other!.fields!
        assert.equal(authority ?? host, 'a.example')
        const key = received['sec-websocket-key']
        delete received['sec-websocket-key']
        if (backend === 'HTTP/1.1') {
          const asHttp1 = { ':method': 'GET', connection: 'Upgrade', upgrade: 'websocket' }
          assert.deepEqual(received, { ':path': '/chat?a=%20b', 'sec-websocket-version': '13', ...fields, ...asHttp1 })
          assert.equal(Buffer.from(key!, 'base64').length, 16)
        } else {
          const asHttp2 = { ':method': 'CONNECT', ':protocol': 'websocket' }
          assert.deepEqual(received, { ':path': '/chat?a=%20b', 'sec-websocket-version': '13', ...fields, ...asHttp2 })
          assert.equal(key, undefined)
        }
        one.send('two')
        hint(other!, '</a>; rel=preload')
        await until('the hint has come', () => one.hints.length === 1)
        assert.equal(one.hints[0], '</a>; rel=preload')
        assert.deepEqual([one.fields, other!.received], [undefined, ''])
        open(other!, { 'sec-websocket-protocol': 'b', 'set-cookie': 'c=1', 'content-length': '3' })
        other!.send('behind')
        await until('it is open', () => one.received === 'behind')
        const { ':status': status, date: _date, ...sent } = one.fields!
        assert.equal(Number(status), success)
        const asAsked = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-accept': accept }
        assert.deepEqual(sent, {
          'sec-websocket-protocol': 'b',
          'set-cookie': 'c=1',
          'x-hook': 'GET',
          ...(client === 'HTTP/1.1' && asAsked),
        })
        await until('the early bytes have arrived', () => other!.received === 'onetwo')
        const there = randomBytes(300_000).toString('latin1')
        const back = randomBytes(300_000).toString('latin1')
        one.send(there)
        other!.send(back)
        await until('everything has arrived', () => other!.received === `onetwo${there}`)
        await until('everything has come back', () => one.received === `behind${back}`)
        const [tunnel] = [...balancer.tunnels]
        assert.deepEqual([tunnel!.bytesSent, tunnel!.bytesReceived], [300_006, 300_006])
        assert.deepEqual([balancer.backends[0]!.inFlight, balancer.backends[0]!.load], [0, 0.1])
        assert.equal(it.hooks, 1)
        one.reset()
        await until('nothing is left', () => balancer.exchanges === 0 && balancer.backends[0]!.isIdle)
        assert.equal(it.log.exchanges[0]!.status, success)

        it.asked((peer) => {
          answer(peer, 403, { 'x-why': 'no', 'content-length': '200000' })
          if (backend === 'HTTP/2') peer.end('x'.repeat(200_000))
          else peer.send('x'.repeat(200_000))
        })
        const refused = await ask('/')
        refused.send('early')
        await until('it has ended', () => refused.ended)
        assert.deepEqual([refused.status, refused.fields!['x-why']], [403, 'no'])
        assert.equal(refused.received.length, 200_000)
        refused.end()
        await until('it is closed', () => refused.closed)
        assert.ok(client === 'HTTP/1.1' || refused.resetCode === 0)

        const unknown = await ask('/', { authorization: 'none' })
        await until('it has ended', () => unknown.ended)
        assert.deepEqual([unknown.status, unknown.received], [401, '{"no":true}'])
        assert.equal(peers.length, 2)

        it.asked(() => {})
        const gone = await ask('/')
        await until('it was asked', () => peers.length === 3)
        gone.reset()
        await until('the backend sees the end', () => peers[2]!.closed || peers[2]!.ended)
        await until('nothing is left', () => balancer.exchanges === 0 && balancer.backends[0]!.isIdle)
        assert.equal(balancer.backends[0]!.outcomes['client-gone'], 1)
        assert.equal(it.session?.destroyed ?? false, false)
      })

      test('each side may end first, and a reset is the end of both; silence has limits', async (t) => {
        const it = await start(t, client, backend)
        const { balancer, clock } = it
        {
          const { one, other } = await it.tunnel()
          one.end('last')
          await until('the backend sees the end', () => other.ended)
          assert.equal(other.received, 'last')
          other.end('answer')
          await until('both are closed', () => one.closed && other.closed)
          assert.equal(one.received, 'answer')
        }
        {
          const { one, other } = await it.tunnel()
          other.end('bye')
          await until('the client sees the end', () => one.ended)
          assert.equal(one.received, 'bye')
          one.end('and you')
          await until('both are closed', () => one.closed && other.closed)
          assert.equal(other.received, 'and you')
        }
        {
          const { one, other } = await it.tunnel()
          one.reset()
          await until('the backend sees it', () => (backend === 'HTTP/2' ? other.closed : other.ended))
          if (backend === 'HTTP/2') assert.equal(other.resetCode, 8)
          else other.end()
        }
        {
          const { one, other } = await it.tunnel()
          other.reset()
          await until('the client sees it', () => (client === 'HTTP/2' ? one.closed : one.ended))
          if (client === 'HTTP/2') assert.equal(one.resetCode, 8)
          else one.end()
        }
        await until('nothing is left', () => balancer.exchanges === 0)
        {
          const { one, other } = await it.tunnel()
          clock.advance(900)
          one.send('\x81\x80\0\0\0\0')
          await until('it has arrived', () => other.received.length === 6)
          clock.advance(900)
          other.send('\x81\0')
          await until('it has come', () => one.received.length === 2)
          clock.advance(999)
          await immediate()
          assert.deepEqual([one.ended, other.ended], [false, false])
          clock.advance(1)
          await until('both are ended', () => one.ended && other.ended)
          assert.deepEqual([one.received.slice(2), unmasked(other.received.slice(6))], [goingAway, goingAway])
          one.end()
          other.end()
        }
        await until('nothing is left', () => balancer.exchanges === 0)
        {
          const { one, other } = await it.tunnel()
          other.end()
          await until('the client sees the end', () => one.ended)
          clock.advance(200)
          await until('the backend sees the end', () => other.ended)
          clock.advance(2000)
          clock.advance(2000)
          await until('both are closed', () => (client === 'HTTP/1.1' || one.closed) && other.closed)
        }
        await until('nothing is left', () => balancer.exchanges === 0 && balancer.backends[0]!.isIdle)
        assert.equal(balancer.tunnels.size, 0)
      })

      test('a drain ends it at the deadline, between two frames; and so does the end of the app', async (t) => {
        const it = await start(t, client, backend, { drainDeadline: 50, upgrade: { idle: 0 } })
        const { balancer, clock } = it
        const { one, other } = await it.tunnel()
        const drained = balancer.drain(balancer.backends[0]!.id, { deadline: 5000 })
        // Half a frame in each direction: `hello`, and a masked `abc`.
        other.send('\x81\x05he')
        one.send('\x81\x83\0\0\0\0a')
        await until('they have arrived', () => one.received.endsWith('he') && other.received.endsWith('a'))
        clock.advance(5000)
        other.send('llo\x81\x04none')
        one.send('bcnone')
        await until('both are ended', () => one.ended && other.ended)
        assert.equal(one.received, `\x81\x05hello${goingAway}`)
        assert.equal(other.received.slice(0, 9), '\x81\x83\0\0\0\0abc')
        assert.equal(unmasked(other.received.slice(9)), goingAway)
        one.end()
        other.end()
        assert.equal(await drained, false)
        await until('nothing is left', () => balancer.exchanges === 0)
        assert.match(it.log.exchanges[0]!.msg!, /^tunnel closed by a drain after /)

        balancer.ready(balancer.backends[0]!.id)
        const last = await it.tunnel()
        let isClosed = false
        const closed = it.app.close().then(() => (isClosed = true))
        await until('it is closing', () => balancer.closing)
        // GOAWAY, where there is one, leaves it alone.
        last.one.send('\x81\x80\0\0\0\0')
        await until('it has arrived', () => last.other.received.length === 6)
        clock.advance(50)
        await until('both are ended', () => last.one.ended && last.other.ended)
        assert.deepEqual([last.one.received, unmasked(last.other.received.slice(6))], [goingAway, goingAway])
        assert.equal(isClosed, false)
        // Nobody answers: it is cut.
        clock.advance(1000)
        clock.advance(1000)
        await closed
        assert.equal(balancer.exchanges, 0)
      })

      test('one that does not read holds up the other', async (t) => {
        const it = await start(t, client, backend)
        const { one, other } = await it.tunnel()
        one.stream.pause()
        const chunk = Buffer.alloc(65_536)
        let written = 0
        while (other.stream.writableLength < 4 * 1024 * 1024 && written < 64 * 1024 * 1024) {
          other.stream.write(chunk)
          written += chunk.length
          // oxlint-disable-next-line no-await-in-loop -- the kernel takes what it can
          await immediate()
        }
        const [tunnel] = [...it.balancer.tunnels]
        assert.ok(tunnel!.bytesReceived < written, `${tunnel!.bytesReceived} of ${written} bytes`)
        one.stream.resume()
        await until('all has come', () => one.received.length === written)
        one.reset()
        await until('nothing is left', () => it.balancer.exchanges === 0)
      })

      test('what was never sent goes to another backend', async (t) => {
        const server = await startWebSocketBackend(t, backend)
        const pool = { protocol: backend === 'HTTP/2' ? ('h2c' as const) : ('http1' as const) }
        const it = await start(t, client, backend, { backends: [await unusedOrigin(), server.url], pool })
        const one = await it.ask('/')
        await until('it is open', () => one.status === success)
        assert.equal(it.balancer.backends[0]!.outcomes['connect-refused'], 1)
        assert.equal(server.peers.length, 1)
        one.reset()
        await until('nothing is left', () => it.balancer.exchanges === 0)
      })
    })
