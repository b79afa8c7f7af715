import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import type { Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import Fastify from 'fastify'
import type { AddressInfo } from 'node:net'
import { failOnCrash } from '../../../test/conformance/no-crash.ts'
import { elsewhere, localhost } from '../../../test/support/certificates.ts'
import { until } from '../../../test/support/until.ts'
import { proxyProtocol } from '../src/index.ts'
import { binary, ipv4, text } from './header-bytes.ts'
import { encrypted, opened, seenBy, startStage } from './stage.ts'

failOnCrash()

const header = binary(0x21, 0x11, ipv4)
const answered = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'

/** Resolves once the other side has closed. */
async function gone(socket: Socket): Promise<void> {
  if (socket.closed) return
  // Not by `once`, which rejects at an error.
  await new Promise((resolve) => socket.once('close', resolve))
}

/** A session that has had an answer. */
async function session(used: Socket) {
  const one = connectHttp2('http://a', { createConnection: () => used })
  one.on('error', () => {})
  const stream = one.request({ ':path': '/' })
  stream.resume()
  await once(stream, 'end')
  return one
}

/** Connections that wait for something, at each stage of one. */
async function waiting(t: TestContext, port: number): Promise<Socket[]> {
  const silent = await opened(t, port)
  const half = await opened(t, port, header.subarray(0, 20))
  const whole = await opened(t, port, header)
  const hello = await opened(t, port, Buffer.concat([header, Buffer.from('1603010200', 'hex')]))
  const idle = await opened(t, port, Buffer.concat([header, Buffer.from(answered)]))
  await once(idle, 'data')
  for (const socket of [silent, half, whole, hello, idle]) socket.resume()
  const overTls = encrypted(await opened(t, port, header), 'http/1.1')
  overTls.write(answered)
  await once(overTls, 'data')
  overTls.resume()
  const http2 = await opened(t, port, header)
  await session(http2)
  const http2OverTls = encrypted(await opened(t, port, header), 'h2')
  await once(http2OverTls, 'secureConnect')
  await session(http2OverTls)
  return [silent, half, whole, hello, idle, overTls, http2, http2OverTls]
}

describe('an app that closes', () => {
  test('does not wait for connections without a request, at whatever stage they are', async (t) => {
    const { app, port } = await startStage(t)
    const sockets = await waiting(t, port)
    await Promise.all([app.close(), ...sockets.map(gone)])
    assert.equal(app.server.listening, false)
  })

  for (const way of ['HTTP/1.1', 'HTTP/2', 'HTTP/1.1 over TLS', 'HTTP/2 over TLS'] as const)
    test(`lets a request finish: ${way}`, async (t) => {
      const app = Fastify({
        http2: true,
        https: localhost,
        serverFactory: proxyProtocol({ from: ['127.0.0.1'] }),
      } as never)
      let finish = () => {}
      const begun = new Promise<void>((begin) => {
        app.all('/', async ({ ip }) => {
          begin()
          await new Promise<void>((resolve) => (finish = resolve))
          return { ip }
        })
      })
      app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
      t.after(() => app.close())
      await app.listen({ port: 0, host: '127.0.0.1' })
      const { port } = app.server.address() as AddressInfo
      const seen = seenBy(await opened(t, port, header), way, 'x')
      await begun
      const closed = app.close()
      await until('it no longer listens', () => !app.server.listening)
      finish()
      assert.equal((await seen).ip, '192.0.2.1')
      await closed
    })

  test('cuts everything with forceCloseConnections', async (t) => {
    const settings = { http2: true, https: localhost, forceCloseConnections: true }
    const app = Fastify({ ...settings, serverFactory: proxyProtocol({ from: ['127.0.0.1'] }) } as never)
    let begun = 0
    const all = new Promise<void>((resolve) => {
      app.get('/never', () => {
        if (++begun === 3) resolve()
        return new Promise(() => {})
      })
    })
    app.get('/', async () => 'done')
    t.after(() => app.close())
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    const sockets = await waiting(t, port)
    const asked = 'GET /never HTTP/1.1\r\nhost: a\r\n\r\n'
    const plain = await opened(t, port, Buffer.concat([header, Buffer.from(asked)]))
    const overTls = encrypted(await opened(t, port, header), 'http/1.1')
    overTls.write(asked)
    const http2 = await opened(t, port, header)
    const stream = connectHttp2('http://a', { createConnection: () => http2 })
      .on('error', () => {})
      .request({ ':path': '/never' })
    stream.on('error', () => {})
    for (const socket of [plain, overTls]) socket.resume()
    await all
    await Promise.all([app.close(), ...[...sockets, plain, overTls, http2].map(gone)])
  })
})

describe('what the app sets of its server', () => {
  test('time limits hold: for idle connections, and for the head of a request', async (t) => {
    const { app, port } = await startStage(
      t,
      {},
      { keepAliveTimeout: 20, requestTimeout: 60, http: { headersTimeout: 50, connectionsCheckingInterval: 20 } },
    )
    const { server } = app
    assert.deepEqual([server.keepAliveTimeout, server.requestTimeout, server.headersTimeout], [20, 60, 50])
    const idle = await opened(t, port, `${text.ipv4}${answered}`)
    idle.resume()
    await gone(idle)
    const slow = await opened(t, port, `${text.ipv4}GET / HTTP/1.1\r\n`)
    let received = ''
    slow.on('data', (chunk) => (received += String(chunk)))
    await gone(slow)
    assert.match(received, /^HTTP\/1\.1 408 /)
  })

  test('a new certificate holds from then on', async (t) => {
    const { app, port } = await startStage(t)
    ;(app.server as unknown as { setSecureContext(options: object): void }).setSecureContext(elsewhere)
    const socket = encrypted(await opened(t, port, header), 'h2')
    const [error] = (await once(socket, 'error').catch((one: unknown) => [one])) as [NodeJS.ErrnoException]
    assert.match(error.code!, /SELF_SIGNED|CERT|ALTNAME/)
  })

  test('the address is that of the app, and `localhost` works', async (t) => {
    const { app } = await startStage(t)
    await app.close()
    const other = Fastify({ serverFactory: proxyProtocol({ from: ['127.0.0.1', '::1'] }) })
    other.all('/', async ({ ip }) => ({ ip }))
    t.after(() => other.close())
    const url = await other.listen({ port: 0, host: 'localhost' })
    const { address, port } = other.server.address() as AddressInfo
    assert.equal(url, `http://${address.includes(':') ? `[${address}]` : address}:${port}`)
    assert.equal(other.addresses().length, 1)
  })
})
