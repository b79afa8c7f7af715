import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { listenApp } from '../support/app.ts'
import { startBackend } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { send } from '../support/http2-frames.ts'
import { until } from '../support/until.ts'

test('a client is told to continue only when there is a connection, at each address of localhost', async (t) => {
  const addresses = [{ address: '127.0.0.1' }, { address: '127.0.0.2' }]
  const lookup = dns.lookup as (...all: unknown[]) => void
  // Not every machine has two; where it has, one of them may be IPv6.
  t.mock.method(dns, 'lookup', (host: string, options: unknown, callback: (error: null, all: unknown) => void) => {
    if (host === 'localhost' && (options as { all?: boolean }).all === true) callback(null, addresses)
    else lookup(host === 'localhost' ? '127.0.0.1' : host, options, callback)
  })
  const backend = await startBackend(t, (request, response) => {
    request.resume().on('end', () => response.end('ok'))
  })
  const app = Fastify()
  await app.register(balancer, {
    backends: [{ url: backend.url, maxInFlight: 1 }],
    timeouts: { queue: 0, continue: 0 },
  })
  t.after(() => app.close())
  await app.listen({ port: 0, host: 'localhost' })
  const { port } = app.server.address() as AddressInfo
  for (const { address } of addresses) {
    const veto = app.balancer.veto(app.balancer.backends[0]!, { by: 'test', reason: 'out', hard: true })
    const socket = connect(port, address)
    t.after(() => socket.destroy())
    let received = ''
    socket.setEncoding('latin1').on('data', (text: string) => void (received += text))
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n')
    await until('it is answered', () => received.includes('}'))
    assert.match(received, /^HTTP\/1\.1 503 /, address)
    veto.lift()
    const other = connect(port, address)
    t.after(() => other.destroy())
    other.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n')
    const [text] = (await once(other.setEncoding('latin1'), 'data')) as [string]
    assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\n$/, address)
    other.destroy()
    await until('it is free again', () => app.balancer.exchanges === 0)
  }
})

const listeners = {
  'in clear': { http2: true },
  'over TLS': { http2: true, https: localhost },
}

for (const [name, options] of Object.entries(listeners)) {
  describe(`an HTTP/2 listener ${name}`, () => {
    const make = () => Fastify(options as object) as unknown as FastifyInstance
    const dial = (url: string) => {
      const session = connectHttp2(url, { ca: localhost.cert })
      session.on('error', () => {})
      return session
    }

    for (const lane of ['raw', 'full'] as const) {
      test(`passes trailers on by their names (${lane} lane)`, async (t) => {
        const backend = await startBackend(t, (_request, response) => {
          response.writeHead(200, { trailer: 'x-sum, x-two' })
          response.write('body')
          response.addTrailers([
            ['x-sum', 'caf\xe9'],
            ['x-two', '1'],
            ['x-two', '2'],
          ])
          response.end()
        })
        const app = make()
        await app.register(balancer, { backends: [backend.url], lane })
        const { port } = await listenApp(t, app)
        const session = dial(`${name === 'in clear' ? 'http' : 'https'}://localhost:${port}`)
        t.after(() => session.destroy())
        const stream = session.request({ ':path': '/' })
        const trailers = once(stream, 'trailers') as Promise<[Record<string, unknown>]>
        stream.resume()
        const [fields] = await trailers
        assert.deepEqual(Object.fromEntries(Object.entries(fields)), { 'x-sum': 'caf\xe9', 'x-two': '1, 2' })
      })
    }

    test('closes idle sessions with the app', async (t) => {
      const backend = await startBackend(t)
      const app = make()
      await app.register(balancer, { backends: [backend.url] })
      const { port } = await listenApp(t, app)
      const session = dial(`${name === 'in clear' ? 'http' : 'https'}://localhost:${port}`)
      const stream = session.request({ ':path': '/' })
      stream.resume()
      await once(stream, 'close')
      const closed = once(session, 'close')
      await app.close()
      await closed
    })

    test('cuts off a client that does not close its side, after the deadline', async (t) => {
      const backend = await startBackend(t)
      const app = make()
      await app.register(balancer, { backends: [backend.url], drainDeadline: 50 })
      const { port } = await listenApp(t, app)
      const deaf = { port, host: '127.0.0.1', allowHalfOpen: true }
      const socket =
        name === 'in clear'
          ? connect(deaf)
          : connectTls({ ...deaf, ca: localhost.cert, servername: 'localhost', ALPNProtocols: ['h2'] })
      t.after(() => socket.destroy())
      socket.on('error', () => {})
      socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), send.settings()]))
      await once(socket, 'data')
      await app.close()
    })

    test('lets what is under way finish when the app closes', async (t) => {
      let answer: (() => void) | undefined
      const backend = await startBackend(t, (_request, response) => void (answer = () => response.end('whole')))
      const app = make()
      await app.register(balancer, { backends: [backend.url] })
      const { port } = await listenApp(t, app)
      const session = dial(`${name === 'in clear' ? 'http' : 'https'}://localhost:${port}`)
      const stream = session.request({ ':path': '/' })
      let text = ''
      stream.setEncoding('utf8').on('data', (chunk: string) => void (text += chunk))
      await until('it is under way', () => answer !== undefined)
      const away = once(session, 'goaway')
      const closed = app.close()
      await away
      answer!()
      await once(stream, 'close')
      assert.equal(text, 'whole')
      await closed
    })
  })
}
