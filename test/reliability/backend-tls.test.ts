import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { test, type TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { listen } from '../support/backend.ts'
import { elsewhere, localhost } from '../support/certificates.ts'
import { until } from '../support/until.ts'

const echoHost: RequestListener = (incoming, response) => response.end(incoming.headers.host)

/** A backend over TLS, with the names that its clients have asked for. */
async function startTlsBackend(t: TestContext, certificate = localhost, host = '127.0.0.1') {
  const server = createServer(certificate, echoHost)
  const sockets = new Set<Socket>()
  const handshakes: (string | false)[] = []
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('secureConnection', (socket: TLSSocket) => handshakes.push(socket.servername as string | false))
  const origin = await listen(server, host)
  t.after(() => {
    server.close()
    server.closeAllConnections()
    for (const socket of sockets) socket.destroy()
  })
  const { port, hostname } = new URL(origin)
  return { handshakes, sockets, byName: `https://localhost:${port}`, byAddress: `https://${hostname}:${port}` }
}

type Tls = NonNullable<NonNullable<BalancerOptions['pool']>['tls']>

async function askOver(t: TestContext, origin: string, tls: Tls) {
  const { url } = await startApp(t, { backends: [origin], pool: { tls }, failureHeader: true })
  const { status, headers, body } = await ask(url, { headers: { host: 'localhost' } })
  return { status, failure: headers['x-balancer-failure'], body: status === 200 ? body : undefined }
}

const trusted = { status: 200, failure: undefined, body: 'localhost' }
const distrusted = (failure: string) => ({ status: 502, failure, body: undefined })

test('a certificate that nobody vouches for is not trusted', async (t) => {
  const backend = await startTlsBackend(t)
  assert.deepEqual(await askOver(t, backend.byName, {}), distrusted('tls-certificate-untrusted'))
  assert.deepEqual(backend.handshakes, [])
})

test('a certificate is trusted for the name and for the address that it is for', async (t) => {
  const backend = await startTlsBackend(t)
  assert.deepEqual(await askOver(t, backend.byName, { ca: localhost.cert }), trusted)
  assert.deepEqual(await askOver(t, backend.byAddress, { ca: localhost.cert }), trusted)
})

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses!.some(({ address }) => address === '::1'),
)

test('a certificate is trusted for the IPv6 address that it is for', { skip: !hasIpv6 }, async (t) => {
  const backend = await startTlsBackend(t, localhost, '::1')
  assert.deepEqual(await askOver(t, backend.byAddress, { ca: localhost.cert }), trusted)
})

test('a certificate for another name is not trusted, whoever vouches for it', async (t) => {
  const backend = await startTlsBackend(t, elsewhere)
  assert.deepEqual(await askOver(t, backend.byName, { ca: elsewhere.cert }), distrusted('tls-name-mismatch'))
})

test('a client cannot choose by its Host which certificate is right', async (t) => {
  const backend = await startTlsBackend(t, elsewhere)
  const { url } = await startApp(t, { backends: [backend.byName], pool: { tls: { ca: elsewhere.cert } } })
  const answer = await ask(url, { headers: { host: 'elsewhere.example' } })
  assert.equal(answer.status, 502)
  assert.deepEqual(backend.handshakes, [])
})

test('certificates are not verified where that is written, and only there', async (t) => {
  const backend = await startTlsBackend(t, elsewhere)
  assert.deepEqual(await askOver(t, backend.byName, { rejectUnauthorized: false }), trusted)
  assert.deepEqual(
    await askOver(t, backend.byName, { rejectUnauthorized: true }),
    distrusted('tls-certificate-untrusted'),
  )
})

test('requests for many hosts share one connection, made in the name of the backend', async (t) => {
  const backend = await startTlsBackend(t)
  const { app, url } = await startApp(t, {
    backends: [backend.byName],
    pool: { connections: 1, tls: { ca: localhost.cert } },
  })
  for (const host of ['one.example', 'two.example', 'one.example', 'localhost', '10.0.0.1', 'two.example']) {
    const answer = await ask(url, { headers: { host } })
    assert.deepEqual([answer.status, answer.body], [200, host])
  }
  assert.deepEqual(backend.handshakes, ['localhost'])
  assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 6 })
})

test('requests for many hosts share one connection to a backend that is known by its address', async (t) => {
  const backend = await startTlsBackend(t)
  const { url } = await startApp(t, {
    backends: [backend.byAddress],
    pool: { connections: 1, tls: { ca: localhost.cert } },
  })
  for (const host of ['one.example', 'two.example', 'one.example']) {
    const answer = await ask(url, { headers: { host } })
    assert.deepEqual([answer.status, answer.body], [200, host])
  }
  // An address is no server name (RFC 6066 §3).
  assert.deepEqual(backend.handshakes, [false])
})

test('a backend that is not trusted holds no connection, however often it is tried', async (t) => {
  const backend = await startTlsBackend(t)
  const { app, url } = await startApp(t, { backends: [backend.byName], pool: { connections: 2 } })
  for (let count = 0; count < 10; count++) assert.equal((await ask(url)).status, 502)
  await until('every connection is closed', () => backend.sockets.size === 0)
  assert.deepEqual(app.balancer.backends[0]!.outcomes, { 'tls-certificate-untrusted': 10 })
  assert.equal(app.balancer.backends[0]!.inFlight, 0)
})
