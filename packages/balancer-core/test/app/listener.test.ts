import balancer, { listenerDefaults } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { Server as Http1Server } from 'node:http'
import type { ServerHttp2Session } from 'node:http2'
import { describe, test, type TestContext } from 'node:test'
import { isVulnerable } from '../../src/app/listener/limit-advice.ts'
import { optionsOf } from '../../src/app/listener/server-options.ts'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import { localhost } from '../../../../test/support/certificates.ts'
import { frameClient, type FrameClient } from '../../../../test/support/frame-client.ts'
import { ack, types } from '../../../../test/support/http2-frames.ts'
import { LogLines } from '../../../../test/support/log-lines.ts'
import { rawClient } from '../../../../test/support/raw.ts'
import { until } from '../../../../test/support/until.ts'

const names: Readonly<Record<number, string>> = {
  3: 'maxConcurrentStreams',
  4: 'initialWindowSize',
  6: 'maxHeaderListSize',
  8: 'enableConnectProtocol',
}

/** What a listener announces when somebody connects: its settings, and by how much it opens the window of the connection. */
async function announced(client: FrameClient) {
  await until('it has announced all', () => client.received(types.settings).some(({ bits }) => (bits & ack) !== 0))
  const settings: Record<string, number> = {}
  for (const { bits, payload } of client.received(types.settings)) {
    if ((bits & ack) !== 0) continue
    for (let at = 0; at < payload.length; at += 6)
      settings[names[payload.readUInt16BE(at)] ?? 'other'] = payload.readUInt32BE(at + 2)
  }
  const window = client
    .received(types.windowUpdate, 0)
    .reduce((sum, { payload }) => sum + payload.readUInt32BE(), 65_535)
  return { settings, window }
}

interface Made {
  readonly app: FastifyInstance
  readonly port: number
  readonly log: LogLines
}

async function start(t: TestContext, options: object, before?: (app: FastifyInstance) => void): Promise<Made> {
  const backend = await startBackend(t)
  const log = new LogLines()
  const app = Fastify({ logger: log, ...options } as never) as unknown as FastifyInstance
  before?.(app)
  await app.register(balancer, { backends: [backend.url] })
  const { port } = await listenApp(t, app)
  return { app, port, log }
}

/** For WebSockets. */
const connect = { enableConnectProtocol: 1 }
const limits = { maxConcurrentStreams: 128, initialWindowSize: 262_144 }
const sane = { ...limits, ...connect }
const window = 4_194_304
const low = /this HTTP\/2 listener .* write Fastify\(\{ http2: true, \.\.\.listenerDefaults\((?:\{ https: … \})?\) \}\)/

describe('a listener for HTTP/2', () => {
  for (const tls of [false, true]) {
    const https = tls ? { https: { ...localhost, allowHTTP1: true } } : {}
    const over = tls ? 'over TLS' : 'in clear'

    test(`has sane limits with a balancer, ${over}, where Node has none; what only its maker can set is said once`, async (t) => {
      const { port, log } = await start(t, { http2: true, ...https })
      assert.deepEqual(await announced(await frameClient(t, port, { tls })), { settings: sane, window })
      const lines = log.all.filter(({ msg }) => low.test(msg!))
      assert.equal(lines.length, 1)
      assert.match(lines[0]!.msg!, /10 MB of responses unread, and .* 1000 requests/)
      // Without `https`, `listenerDefaults` would take TLS away.
      assert.equal(lines[0]!.msg!.includes('{ https: … }'), tls)
    })

    test(`keeps what its app has set, ${over}`, async (t) => {
      const settings = { maxConcurrentStreams: 7, initialWindowSize: 100_000 }
      const given = { settings, maxSessionMemory: 5, streamResetBurst: 5, streamResetRate: 1 }
      const options = tls ? { https: { ...localhost, ...given } } : { http: given }
      const { port, log } = await start(t, { http2: true, ...options }, (app) => {
        app.server.on('session', (session: ServerHttp2Session) => session.setLocalWindowSize(200_000))
      })
      assert.deepEqual(await announced(await frameClient(t, port, { tls })), {
        settings: { ...settings, ...connect },
        window: 200_000,
      })
      assert.ok(!log.all.some(({ msg }) => low.test(msg!)))
    })

    test(`has all of listenerDefaults(), ${over}`, async (t) => {
      const options = tls ? listenerDefaults({ https: localhost }) : listenerDefaults()
      const { app, port, log } = await start(t, { http2: true, ...options })
      const settings = { ...sane, maxHeaderListSize: 32_768 }
      assert.deepEqual(await announced(await frameClient(t, port, { tls })), { settings, window })
      const { maxSessionMemory, maxHeaderListPairs, streamResetBurst, streamResetRate } = optionsOf(
        app.server,
      ) as Record<string, number>
      assert.deepEqual([maxSessionMemory, maxHeaderListPairs], [64, 1024])
      assert.deepEqual([streamResetBurst, streamResetRate], [10_000, 100])
      assert.ok(!log.all.some(({ msg }) => low.test(msg!)))
    })
  }

  test('also takes HTTP/1.1 over TLS, with the time limits that Fastify has elsewhere', async (t) => {
    const options = {
      http2: true,
      keepAliveTimeout: 4321,
      requestTimeout: 8765,
      ...listenerDefaults({ https: localhost }),
    }
    const { app, port } = await start(t, options)
    const { keepAliveTimeout, requestTimeout } = app.server
    assert.deepEqual([keepAliveTimeout, requestTimeout], [4321, 8765])
    const client = await rawClient(t, port, { ca: localhost.cert })
    for (let count = 1; count <= 2; count++) {
      client.send('GET / HTTP/1.1\r\nhost: a.example\r\n\r\n')
      // oxlint-disable-next-line no-await-in-loop -- over one connection
      await client.until(new RegExp(`(backend[^]*){${count}}`))
    }
    const own = { https: { ...localhost, allowHTTP1: true, keepAliveTimeout: 99, requestTimeout: 98 } }
    const { app: other } = await start(t, { http2: true, ...own })
    // Node 22 does not know these.
    assert.ok([99, undefined].includes(other.server.keepAliveTimeout))
    assert.ok([98, 300_000].includes(other.server.requestTimeout))
  })

  test('with several balancers, says things once', async (t) => {
    const log = new LogLines()
    const app = Fastify({ logger: log, http2: true }) as unknown as FastifyInstance
    await app.register(balancer, { name: 'a', prefix: '/a' })
    await app.register(balancer, { name: 'b', prefix: '/b' })
    const { port } = await listenApp(t, app)
    assert.equal(log.all.filter(({ msg }) => low.test(msg!)).length, 1)
    assert.deepEqual(await announced(await frameClient(t, port)), { settings: sane, window })
  })
})

test('listenerDefaults() fits what Fastify takes for each protocol', async () => {
  const apps = [
    Fastify({ http2: true, ...listenerDefaults() }),
    Fastify({ http2: true, ...listenerDefaults({ https: localhost }) }),
    Fastify({ ...listenerDefaults() }),
    Fastify({ ...listenerDefaults({ https: localhost }) }),
  ]
  assert.deepEqual(
    apps.map(({ server }) => server.constructor.name),
    ['Http2Server', 'Http2SecureServer', 'Server', 'Server'],
  )
  await Promise.all(apps.map((app) => app.close()))
})

test('listenerDefaults() takes what it is given, and lets that count', () => {
  const { https } = listenerDefaults({
    https: { ...localhost, allowHTTP1: false, settings: { maxConcurrentStreams: 9 } },
  })
  assert.equal(https.key, localhost.key)
  assert.deepEqual([https.allowHTTP1, https.handshakeTimeout], [false, 10_000])
  assert.deepEqual(https.settings, { ...limits, maxConcurrentStreams: 9, maxHeaderListSize: 32_768 })
  const { http } = listenerDefaults({ http: { maxSessionMemory: 1, headersTimeout: 5 } })
  assert.deepEqual([http.maxSessionMemory, http.headersTimeout, http.streamResetBurst], [1, 5, 10_000])
})

test('listenerDefaults() changes nothing for HTTP/1.1', async (t) => {
  const { app, port, log } = await start(t, listenerDefaults())
  assert.equal((await ask(`http://127.0.0.1:${port}`)).status, 200)
  const plain = new Http1Server()
  for (const limit of ['headersTimeout', 'maxHeadersCount', 'maxRequestsPerSocket', 'timeout'] as const)
    assert.equal(app.server[limit] === 0 ? null : app.server[limit], plain[limit] === 0 ? null : plain[limit], limit)
  assert.ok(!log.all.some(({ level }) => level >= 40))
  const secure = await start(t, listenerDefaults({ https: localhost }))
  const client = await frameClient(t, secure.port, { tls: true, silent: true }).catch((error: unknown) => error)
  assert.match(String(client), /no application protocol/i, 'HTTP/2 is not offered')
})

test('versions of Node that clients can exhaust are known', () => {
  const bad = ['22.19.0', '22.22.1', '23.11.1', '24.0.0', '24.14.0']
  const good = ['22.22.2', '22.23.0', '24.14.1', '24.15.0', '25.0.0', '26.10.0']
  for (const version of bad) assert.ok(isVulnerable(version), version)
  for (const version of good) assert.ok(!isVulnerable(version), version)
})

test('on such a version, an HTTP/2 listener says so, and one for HTTP/1.1 does not', async (t) => {
  const { log } = await start(t, { http2: true })
  const told = log.all.filter(({ msg }) => msg!.includes('CVE-2026-21714'))
  assert.equal(told.length, isVulnerable(process.versions.node) ? 1 : 0)
  const { log: other } = await start(t, {})
  assert.ok(!other.all.some(({ level }) => level >= 40))
})
