import balancer, { type BalancerOptions, type FailureReason } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import Fastify from 'fastify'
import { createSecureServer } from 'node:http2'
import { createServer, type ServerOptions } from 'node:https'
import { spawn } from 'node:child_process'
import type { Server as NetServer, Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate as immediate } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { Authority } from '../support/authority.ts'
import { listen } from '../support/backend.ts'
import { LogLines } from '../support/log-lines.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from '../conformance/no-crash.ts'

failOnCrash()
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const authority = new Authority()
const ca = authority.cert
const sound = authority.issue()
const api = authority.issue({
  subject: '/O=Example\\, Inc/CN=api',
  names: ['DNS:api.example', 'DNS:*.pool.example', 'IP:192.0.2.7'],
})
const expired = authority.issue({ days: -1 })
const client = authority.issue({ subject: '/CN=balancer', names: [] })
const stranger = new Authority('/CN=Another CA').issue({ subject: '/CN=stranger', names: [] })

type Tls = NonNullable<NonNullable<BalancerOptions['pool']>['tls']>
type Protocol = 'http1' | 'http2'

/** A backend over TLS, with what it has seen of each connection. */
async function startSecure(t: TestContext, options: ServerOptions, protocol: Protocol = 'http1', host = '127.0.0.1') {
  const server =
    protocol === 'http1'
      ? createServer(options, (_request, response) => response.end('ok'))
      : createSecureServer(options, (_request, response) => response.end('ok'))
  const seen: {
    readonly name: string | false | null
    readonly resumed: boolean
    readonly client: string | undefined
  }[] = []
  const sockets = new Set<Socket>()
  ;(server as NetServer).on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  ;(server as NetServer).on('secureConnection', (socket: TLSSocket) =>
    seen.push({
      name: (socket as { servername?: string | false }).servername ?? null,
      resumed: socket.isSessionReused(),
      client: socket.getPeerX509Certificate()?.subject,
    }),
  )
  server.on('tlsClientError', () => {})
  const origin = await listen(server as NetServer, host)
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = new URL(origin)
  return { server, seen, sockets, port, url: `https://localhost:${port}`, origin: origin.replace('http:', 'https:') }
}

async function startBalancer(t: TestContext, options: BalancerOptions) {
  const log = new LogLines()
  const app = Fastify({ logger: log })
  await app.register(balancer, { failureHeader: true, ...options })
  const { url } = await listenApp(t, app)
  const get = async () => {
    const { status, headers, body } = await ask(url)
    return status === 200 ? body : `${status} ${String(headers['x-balancer-failure'])}`
  }
  return { app, url, log, get, balancer: app.balancer }
}

async function answerOver(t: TestContext, url: string, tls: Tls, protocol: Protocol = 'http1'): Promise<string> {
  const { get } = await startBalancer(t, { backends: [url], pool: { tls, protocol } })
  return get()
}

const failed = (reason: FailureReason) => `502 ${reason}`

const wholePin = (pem: string) => new X509Certificate(pem).fingerprint256

function keyPin(pem: string): string {
  const { publicKey } = new X509Certificate(pem)
  const digest = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' }))
  return `sha256/${digest.digest('base64')}`
}

describe('names', () => {
  test('the certificate must be for one of them; the first is sent as server name', async (t) => {
    const backend = await startSecure(t, api)
    const answers: Record<string, string> = {}
    for (const names of [
      ['api.example'],
      ['other.example', 'a.pool.example'],
      ['192.0.2.7'],
      ['other.example'],
      ['localhost'],
    ])
      answers[names.join()] = await answerOver(t, backend.url, { ca, names })
    assert.deepEqual(answers, {
      'api.example': 'ok',
      'other.example,a.pool.example': 'ok',
      '192.0.2.7': 'ok',
      'other.example': failed('tls-name-mismatch'),
      localhost: failed('tls-name-mismatch'),
    })
    assert.deepEqual(
      backend.seen.slice(0, 2).map(({ name }) => name),
      ['api.example', 'other.example'],
    )
  })

  test('`servername` is sent, and the names are what counts', async (t) => {
    const backend = await startSecure(t, api)
    assert.equal(await answerOver(t, backend.url, { ca, names: ['api.example'], servername: 'sent.example' }), 'ok')
    assert.equal(backend.seen[0]!.name, 'sent.example')
  })
})

test('pins are an additional check: of the key or of the whole certificate', async (t) => {
  const backend = await startSecure(t, sound)
  const other = keyPin(api.cert)
  const answers = await Promise.all(
    [
      { ca, pins: [keyPin(sound.cert)] },
      { ca, pins: [other, wholePin(sound.cert)] },
      { ca, pins: [wholePin(sound.cert).replaceAll(':', '').toLowerCase()] },
      { ca, pins: [other] },
      { pins: [keyPin(sound.cert)] },
      { ca, pins: [keyPin(sound.cert)], names: ['api.example'] },
    ].map((tls) => answerOver(t, backend.url, tls)),
  )
  assert.deepEqual(answers, [
    'ok',
    'ok',
    'ok',
    failed('tls-pin-mismatch'),
    failed('tls-certificate-untrusted'),
    failed('tls-name-mismatch'),
  ])
})

describe('client certificates', () => {
  const asking = { ...sound, ca, requestCert: true }

  for (const protocol of ['http1', 'http2'] as const) {
    test(`one is presented, over ${protocol}`, async (t) => {
      const backend = await startSecure(t, asking, protocol)
      const tls = {
        ca,
        certFile: authority.file('client.pem', client.cert),
        keyFile: authority.file('client.key', client.key),
      }
      assert.equal(await answerOver(t, backend.url, tls, protocol), 'ok')
      assert.equal(backend.seen[0]!.client, 'CN=balancer')
    })

    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
      test(`one that is missing is named, over ${protocol} and ${maxVersion}`, async (t) => {
        const backend = await startSecure(t, { ...asking, maxVersion }, protocol)
        assert.equal(await answerOver(t, backend.url, { ca }, protocol), failed('tls-client-certificate-refused'))
      })
  }

  test('one that is refused is named, and shown to operators; the request goes to another backend', async (t) => {
    const files = [
      authority.file('s.pem', sound.cert),
      authority.file('s.key', sound.key),
      authority.file('ca.txt', ca),
    ]
    const words = ['-cert', files[0]!, '-key', files[1]!, '-CAfile', files[2]!, '-Verify', '1', '-verify_return_error']
    const refusing = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', '-www', ...words])
    t.after(() => refusing.kill())
    const [line] = (await once(refusing.stdout, 'data')) as [Buffer]
    let text = line.toString()
    while (!/ACCEPT .*:\d+/.test(text)) text += String(((await once(refusing.stdout, 'data')) as [Buffer])[0])
    const port = /ACCEPT .*:(\d+)/.exec(text)![1]!
    const accepting = await startSecure(t, sound)
    const {
      url,
      log,
      balancer: own,
    } = await startBalancer(t, {
      backends: [
        { url: `https://localhost:${port}`, id: 'a' },
        { url: accepting.url, id: 'b' },
      ],
      pool: { tls: { ca, ...stranger } },
      retry: false,
    })
    const answer = await ask(url, { method: 'POST', body: 'once' })
    assert.deepEqual([answer.status, answer.body], [200, 'ok'])
    assert.deepEqual(own.backend('a').outcomes, { 'tls-client-certificate-refused': 1 })
    const [attempt] = log.exchanges[0]!.attempts
    assert.deepEqual(pick(attempt!), { subject: 'CN=stranger', issuer: 'CN=Another CA', names: [] })
  })
})

/** What is logged of the certificate of an attempt, as far as it is known beforehand. */
function pick(attempt: object): object {
  const { subject, issuer, names } = (attempt as { certificate: Record<string, unknown> }).certificate
  return { subject, issuer, names }
}

test('operators see which certificate was not accepted, and clients nothing of it', async (t) => {
  const cases = [
    { server: expired, tls: { ca }, reason: 'tls-certificate-expired' },
    { server: sound, tls: {}, reason: 'tls-certificate-untrusted' },
    { server: api, tls: { ca }, reason: 'tls-name-mismatch' },
    { server: sound, tls: { ca, pins: [keyPin(api.cert)] }, reason: 'tls-pin-mismatch' },
  ] as const
  for (const { server, tls, reason } of cases)
    for (const protocol of ['http1', 'http2'] as const) {
      const backend = await startSecure(t, server, protocol)
      const { url, log } = await startBalancer(t, { backends: [backend.url], pool: { tls, protocol } })
      const answer = await ask(url)
      const { subject, issuer, validFrom, validTo, fingerprint256 } = new X509Certificate(server.cert)
      const shown = {
        subject: subject.replaceAll('\n', ', '),
        issuer,
        validFrom,
        validTo,
        names:
          server === api
            ? ['DNS:api.example', 'DNS:*.pool.example', 'IP Address:192.0.2.7']
            : ['DNS:localhost', 'IP Address:127.0.0.1', 'IP Address:0:0:0:0:0:0:0:1'],
        fingerprint: fingerprint256,
      }
      const [attempt] = log.exchanges[0]!.attempts
      assert.deepEqual([attempt!.outcome, (attempt as { certificate?: unknown }).certificate], [reason, shown])
      const told = JSON.stringify([answer.headers, answer.body])
      for (const part of [subject, 'Test CA', fingerprint256]) assert.ok(!told.includes(part), part)
    }
})

for (const protocol of ['http1', 'http2'] as const)
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
    test(`sessions are resumed over ${protocol} and ${maxVersion}, also after garbage was collected`, async (t) => {
      const backend = await startSecure(t, { ...sound, maxVersion }, protocol)
      const { get, balancer: own } = await startBalancer(t, {
        backends: [backend.url],
        pool: { tls: { ca }, protocol },
      })
      for (let count = 0; count < 3; count++) {
        assert.equal(await get(), 'ok')
        for (const socket of backend.sockets) socket.destroy()
        await until('the connection is closed', () => own.backends[0]!.pool.stats.connected === 0)
        await immediate()
        collect()
      }
      assert.deepEqual(
        backend.seen.map(({ resumed }) => resumed),
        [false, true, true],
      )
    })

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all!.some(({ address }) => address === '::1'))

for (const protocol of ['http1', 'http2'] as const)
  test(
    `https://[::1], over ${protocol}: the address is checked, and not sent as a name`,
    { skip: !hasIpv6 },
    async (t) => {
      const backend = await startSecure(t, sound, protocol, '::1')
      const other = await startSecure(t, api, protocol, '::1')
      assert.match(backend.origin, /^https:\/\/\[::1\]:/)
      assert.equal(await answerOver(t, backend.origin, { ca }, protocol), 'ok')
      assert.equal(await answerOver(t, other.origin, { ca }, protocol), failed('tls-name-mismatch'))
      assert.deepEqual(
        backend.seen.map(({ name }) => name),
        [false],
      )
    },
  )

test('`tls` of a backend is laid over that of the pool: what belongs together is replaced together', async (t) => {
  const asking = { ...sound, ca, requestCert: true, rejectUnauthorized: false }
  const [a, b, c] = await Promise.all([startSecure(t, asking), startSecure(t, asking), startSecure(t, api)])
  const { get, balancer: own } = await startBalancer(t, {
    backends: [
      { url: a.url, id: 'a' },
      { url: b.url, id: 'b', tls: { ...stranger } },
      { url: c.url, id: 'c', tls: { names: ['api.example'] } },
    ],
    pool: { tls: { ca, certFile: authority.file('c.pem', client.cert), keyFile: authority.file('c.key', client.key) } },
  })
  assert.deepEqual([await get(), await get(), await get()], ['ok', 'ok', 'ok'])
  assert.deepEqual([a.seen[0]!.client, b.seen[0]!.client], ['CN=balancer', 'CN=stranger'])
  const counts = () => own.backends.map(({ requests }) => requests)

  // A list without it, as views are, leaves it as it is.
  const [before] = own.backends.slice(1)
  const pool = before!.pool
  await own.setBackends(own.backends.map(({ id, url, weight }) => ({ id, url, weight })))
  assert.equal(own.backend('b'), before)
  assert.equal(before!.pool, pool)
  assert.deepEqual([await get(), await get(), await get()], ['ok', 'ok', 'ok'])
  assert.deepEqual(counts(), [2, 2, 2])

  // Another one is another pool of the same backend.
  const changed = own.preview(
    own.listed.map((one) => (one.id === 'b' ? { ...one, tls: { minVersion: 'TLSv1.3' } } : one)),
  )
  assert.deepEqual(
    changed.changed.map(({ id }) => id),
    ['b'],
  )
  assert.ok(!JSON.stringify([changed, own]).includes('PRIVATE KEY'))
  await own.update('b', { tls: {} })
  assert.equal(own.backend('b'), before)
  assert.notEqual(before!.pool, pool)
  assert.deepEqual([await get(), await get(), await get()], ['ok', 'ok', 'ok'])
  assert.equal(b.seen.at(-1)!.client, 'CN=balancer')
})
