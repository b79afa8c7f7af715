import { proxyProtocol } from '@fastify-balancer/proxy-protocol'
import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyServerOptions } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenApp, startApp } from '../support/app.ts'
import { localhost } from '../support/certificates.ts'
import { rawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'
import { handshake, startUpgradeBackend, switching } from '../support/upgrade-backend.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend } from './wire-backend.ts'
import { get } from './wire-client.ts'

failOnCrash()

/** A request for a protocol that no balancer takes. */
const unlisted = (path: string) => `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n`

test('a handshake behind other requests waits until they are answered, and keeps what comes behind it', async (t) => {
  const backend = await startUpgradeBackend(t, (head) =>
    head.includes('websocket') ? `${switching(head)}\r\n` : undefined,
  )
  const { app, port } = await startApp(t, { backends: [backend.url], retry: { attempts: 0 } })
  const client = await rawClient(t, port)
  client.send(`${get('/1')}${get('/2')}${handshake('/3')}early`)
  await until('the first has been asked', () => (backend.connections[0]?.head ?? '') !== '')
  client.send(', and more')
  const [connection] = backend.connections
  connection!.socket.write(ok('one'))
  await until('the second has been asked', () => connection!.received.startsWith('GET /2'))
  assert.doesNotMatch(client.received, / 101 /)
  connection!.socket.write(ok('two'))
  await client.until(/one.*two.* 101 /s)
  await until('the early bytes have arrived', () => backend.connections[1]?.received === 'early, and more')
  client.socket.destroy()
  await until('nothing is left', () => app.balancer.exchanges === 0 || (backend.connections[1]!.socket.end(), false))
})

test('one whose connection ends before it is its turn is never asked', async (t) => {
  const backend = await startUpgradeBackend(t, () => undefined)
  const app = Fastify()
  app.addHook('onRequest', async ({ url }, reply) => {
    if (url === '/1') reply.header('connection', 'close')
  })
  await app.register(balancer, { backends: [backend.url] })
  const { port } = await listenApp(t, app)
  const last = await rawClient(t, port)
  last.send(`${get('/1')}${handshake('/2')}`)
  await until('the first has been asked', () => (backend.connections[0]?.head ?? '') !== '')
  backend.connections[0]!.socket.write(ok('one'))
  assert.match(await last.closed(), /one$/)
  await until('nothing is left', () => app.balancer.exchanges === 0)
  const gone = await rawClient(t, port)
  gone.send(`${get('/3')}${handshake('/4')}`)
  await until('the first has been asked', () => app.balancer.exchanges === 1)
  gone.socket.resetAndDestroy()
  await until('nothing is left', () => app.balancer.exchanges === 0)
  const heads = backend.connections.map(({ head, received }) => head + received).join('')
  assert.doesNotMatch(heads, /\/2|\/4/)
})

/** What is in front of HTTP on a connection. */
const fronts: Record<string, { server: FastifyServerOptions & { https?: object }; header?: string }> = {
  TLS: { server: { https: localhost } },
  'a header of the PROXY protocol that names a proxy itself': {
    server: { serverFactory: proxyProtocol({ from: ['127.0.0.1'] }) },
    header: 'PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n',
  },
  'a header of the PROXY protocol that names nobody': {
    server: { serverFactory: proxyProtocol({ from: ['127.0.0.1'] }) },
    header: 'PROXY UNKNOWN\r\n',
  },
}

for (const [front, { server, header = '' }] of Object.entries(fronts))
  test(`a protocol that is not listed is ignored behind ${front}, too`, async (t) => {
    const backend = await startWireBackend(t, (request, { send }) => send(ok(request.start.split(' ')[1])))
    const { port } = await startApp(t, { backends: [backend.url] }, server)
    const client = await rawClient(t, port, server.https === undefined ? {} : { ca: localhost.cert })
    client.send(`${header}${unlisted('/1')}${get('/2')}${unlisted('/3')}`)
    await client.until(/\/1.*\/2.*\/3$/s)
  })
