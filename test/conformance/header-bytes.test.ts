import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { connect } from 'node:http2'
import { describe, test, type TestContext } from 'node:test'
import { listenApp, startApp } from '../support/app.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend } from './wire-backend.ts'
import { get, post, wireClient } from './wire-client.ts'
import { valueOf } from './wire-message.ts'

failOnCrash()

/** Each character is a byte. */
const values = {
  'Latin-1': 'caf\xe9',
  'UTF-8': 'caf\xc3\xa9 \xe2\x82\xac',
  'every byte above 0x7F': Array.from({ length: 128 }, (_, index) => String.fromCharCode(128 + index)).join(''),
}

const framings: Record<string, (fields: string) => string> = {
  'of known length': (fields) => `HTTP/1.1 200 OK\r\n${fields}content-length: 2\r\n\r\nok`,
  'that is long': (fields) => `HTTP/1.1 200 OK\r\n${fields}content-length: 100000\r\n\r\n${'x'.repeat(100_000)}`,
  'that is empty': (fields) => `HTTP/1.1 200 OK\r\n${fields}content-length: 0\r\n\r\n`,
  'of unknown length': (fields) => `HTTP/1.1 200 OK\r\n${fields}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  'without a body': (fields) => `HTTP/1.1 204 No Content\r\n${fields}\r\n`,
}

for (const lane of ['raw', 'full'] as const) {
  describe(`header bytes above 0x7F (${lane} lane)`, () => {
    for (const [name, value] of Object.entries(values)) {
      for (const [framing, response] of Object.entries(framings)) {
        test(`reach the client as they were sent: ${name}, with a body ${framing}`, async (t) => {
          const backend = await startWireBackend(t, response(`x-name: ${value}\r\n`))
          const { port } = await startApp(t, { backends: [backend.url], lane })
          const client = await wireClient(t, port)
          client.send(get())
          assert.equal(valueOf(await client.response(), 'x-name'), value)
        })
      }

      test(`reach the client before the body: ${name}`, async (t) => {
        const backend = await startWireBackend(t, (_request, connection) =>
          connection.send(`HTTP/1.1 200 OK\r\nx-name: ${value}\r\ntransfer-encoding: chunked\r\n\r\n`),
        )
        const { port } = await startApp(t, { backends: [backend.url], lane })
        const client = await wireClient(t, port)
        client.send(get())
        assert.equal(/x-name: (.*)\r\n/.exec(await client.until('\r\n\r\n'))?.[1], value)
      })

      test(`reach the client in trailers and early hints: ${name}`, async (t) => {
        const link = `</${value}>; rel=preload`
        const body = `HTTP/1.1 200 OK\r\ntrailer: x-end\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-end: ${value}\r\n\r\n`
        const backend = await startWireBackend(t, `HTTP/1.1 103 Early Hints\r\nlink: ${link}\r\n\r\n${body}`)
        const { port } = await startApp(t, { backends: [backend.url], lane })
        const client = await wireClient(t, port)
        client.send(get())
        const hints = await client.response()
        assert.equal(hints.status, 103)
        assert.equal(valueOf(hints, 'link'), link)
        assert.equal(/x-end: (.*)\r\n\r\n$/.exec(await client.until(/x-end: .*\r\n\r\n$/))?.[1], value)
      })

      test(`reach the backend: ${name}`, async (t) => {
        const backend = await startWireBackend(t, ok())
        const { port } = await startApp(t, { backends: [backend.url], lane })
        const client = await wireClient(t, port)
        const chunked = `POST / HTTP/1.1\r\nhost: a\r\nx-name: ${value}\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`
        for (const request of [get('/', `x-name: ${value}`), post('ok', `x-name: ${value}`), chunked]) {
          client.send(request)
          assert.equal((await client.response()).status, 200)
          assert.equal(valueOf(backend.requests.at(-1)!, 'x-name'), value)
        }
      })
    }
  })
}

async function startRewriting(t: TestContext, value: string) {
  const backend = await startWireBackend(t, ok('ok', `x-name: ${value}`, 'content-type: text/plain'))
  const app = Fastify()
  app.addHook('onSend', async (_request, _reply, payload) =>
    Buffer.isBuffer(payload) ? `${payload.toString()} € text` : payload,
  )
  await app.register(balancer, { backends: [backend.url] })
  const { port } = await listenApp(t, app)
  return wireClient(t, port)
}

test('a hook that makes text of the body changes no header', async (t) => {
  for (const value of Object.values(values)) {
    const client = await startRewriting(t, value)
    client.send(get())
    const response = await client.response()
    assert.equal(valueOf(response, 'x-name'), value)
    assert.equal(Buffer.from(response.body, 'latin1').toString(), 'ok € text')
  }
})

test('they cross from and to HTTP/2', async (t) => {
  for (const value of Object.values(values)) {
    const backend = await startWireBackend(t, (request, connection) =>
      connection.send(ok('ok', `x-back: ${valueOf(request, 'x-name')}`)),
    )
    const app = Fastify({ http2: true }) as never as ReturnType<typeof Fastify>
    await app.register(balancer, { backends: [backend.url] })
    const { url } = await listenApp(t, app)
    const session = connect(url)
    const stream = session.request({ 'x-name': value })
    const headers = await new Promise<Record<string, unknown>>((resolve) => stream.on('response', resolve))
    session.destroy()
    assert.equal(valueOf(backend.requests[0]!, 'x-name'), value)
    assert.equal(headers['x-back'], value)
  }
})
