import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { METHODS } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import { listenApp, startApp } from '../support/app.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend } from './wire-backend.ts'
import { exchange, wireClient } from './wire-client.ts'
import { valueOf, valuesOf } from './wire-message.ts'

failOnCrash()

/** What does not come at all would otherwise be waited for until the backend is given up. */
const timeout = 60_000
const methods = METHODS.filter((method) => method !== 'CONNECT')
/** Fastify answers these 400 itself when no content type says what the query is (RFC 10008 §2). */
const needsContentType = new Set(['QUERY'])

function request(method: string, body: string, framing: 'length' | 'chunks' | 'none', ...fields: string[]): string {
  const all = ['host: a.example', ...fields]
  if (needsContentType.has(method) && fields.length === 0) all.push('content-type: text/x')
  if (framing === 'length') all.push(`content-length: ${body.length}`)
  if (framing === 'chunks') all.push('transfer-encoding: chunked')
  const chunked = body === '' ? '0\r\n\r\n' : `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  const content = { length: body, chunks: chunked, none: '' }[framing]
  return `${method} /x HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n${content}`
}

/** The balancer's own route, and a route of the app's that forwards. */
const ways = {
  'the catch-all route': async (t: TestContext, options: BalancerOptions) => startApp(t, options),
  'reply.forward()': async (t: TestContext, options: BalancerOptions) => {
    const app = Fastify()
    await app.register(balancer, { ...options, route: false })
    for (const method of methods)
      if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true })
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    app.route({ method: methods, url: '/*', exposeHeadRoute: false, handler: (_request, reply) => reply.forward() })
    return listenApp(t, app)
  },
}

for (const [way, start] of Object.entries(ways)) {
  for (const lane of ['raw', 'full'] as const) {
    test(`every method, with every kind of body (${way}, ${lane} lane)`, { timeout: 4 * timeout }, async (t) => {
      const backend = await startWireBackend(t, (message, connection) =>
        connection.send(message.start.startsWith('HEAD') ? ok('12345').slice(0, -5) : ok('12345')),
      )
      const { app, port } = await start(t, { backends: [backend.url], lane })
      const binary = randomBytes(300).toString('latin1')
      const kinds = [
        ['', 'none'],
        ['', 'length'],
        ['', 'chunks'],
        ['hello', 'length'],
        ['hello', 'chunks'],
        [binary, 'length'],
        [binary, 'chunks'],
      ] as const
      for (const method of methods) {
        for (const [body, framing] of kinds) {
          const name = `${method}, ${body.length} bytes, ${framing}`
          const client = await wireClient(t, port)
          client.send(request(method, body, framing))
          const response = await client.response({ bodyless: method === 'HEAD' })
          assert.equal(response.status, 200, name)
          assert.equal(response.body, method === 'HEAD' ? '' : '12345', name)
          assert.equal(valueOf(response, 'content-length'), '5', name)
          const received = backend.requests.at(-1)!
          assert.equal(received.start, `${method} /x HTTP/1.1`, name)
          assert.equal(received.body, body, name)
          client.socket.destroy()
        }
      }
      assert.equal(backend.requests.length, methods.length * kinds.length)
      assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: backend.requests.length })
    })
  }
}

describe('a content type is the business of the backend', () => {
  const contentTypes = [
    'application/json',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'multipart/form-data; boundary="a b"',
    'a/b;',
    'a/b; c',
    'a/b; charset="',
    'a/b\t; c=d',
    'application/json\tx',
    'application/json, text/plain',
    'json',
    'x',
    '/',
    'a/',
    '/b',
    'a/b/c',
    ',',
    ';',
    ';charset=utf-8',
    '*/*',
    'caf\xe9',
    'undefined',
    '__proto__',
    'x'.repeat(5000),
    '',
  ]
  for (const method of ['POST', 'QUERY', 'DELETE', 'PROPFIND', 'OPTIONS', 'GET']) {
    test(method, { timeout }, async (t) => {
      const backend = await startWireBackend(t, (message, connection) => connection.send(ok(message.body)))
      const { port } = await startApp(t, { backends: [backend.url] })
      for (const contentType of contentTypes) {
        await t.test(JSON.stringify(contentType.slice(0, 40)), async (t) => {
          for (const [body, framing] of [
            ['{"not": json', 'length'],
            ['{"not": json', 'chunks'],
            ['', 'length'],
          ] as const) {
            const response = await exchange(t, port, request(method, body, framing, `content-type: ${contentType}`))
            assert.equal(response.status, 200)
            assert.equal(response.body, body)
            assert.deepEqual(valuesOf(backend.requests.at(-1)!, 'content-type'), [contentType])
          }
        })
      }
    })
  }

  test('and there need not be any', { timeout }, async (t) => {
    const backend = await startWireBackend(t, (message, connection) => connection.send(ok(message.body)))
    const { port } = await startApp(t, { backends: [backend.url] })
    for (const method of ['POST', 'DELETE', 'GET']) {
      const sent = request(method, 'hello', 'length')
      assert.equal((await exchange(t, port, sent)).body, 'hello')
      assert.deepEqual(valuesOf(backend.requests.at(-1)!, 'content-type'), [])
    }
  })

  test('and hooks of the app see the one that came', { timeout }, async (t) => {
    const backend = await startWireBackend(t)
    const app = Fastify()
    const seen: (string | undefined)[] = []
    app.addHook('preHandler', async ({ headers }) => void seen.push(headers['content-type']))
    await app.register(balancer, { backends: [backend.url] })
    const { port } = await listenApp(t, app)
    for (const contentType of ['text/plain', 'application/json; x']) {
      await exchange(t, port, request('POST', 'hello', 'length', `content-type: ${contentType}`))
    }
    assert.deepEqual(seen, ['text/plain', 'application/json; x'])
  })
})

test("a body is not measured by the app's limit", { timeout }, async (t) => {
  const backend = await startWireBackend(t, (message, connection) => connection.send(ok(String(message.body.length))))
  const { port } = await startApp(t, { backends: [backend.url] }, { bodyLimit: 100 })
  const body = 'x'.repeat(200_000)
  for (const framing of ['length', 'chunks'] as const) {
    const response = await exchange(t, port, request('POST', body, framing, 'content-type: application/json'))
    assert.equal(response.body, '200000')
  }
})

test('OPTIONS is forwarded like any other method', { timeout }, async (t) => {
  const backend = await startWireBackend(t, ok('', 'allow: GET, OPTIONS'))
  const { port } = await startApp(t, { backends: [backend.url] })
  const preflight = request('OPTIONS', '', 'none', 'origin: https://b.example', 'access-control-request-method: PUT')
  const response = await exchange(t, port, preflight)
  assert.equal(valueOf(response, 'allow'), 'GET, OPTIONS')
  assert.equal(backend.requests[0]!.start, 'OPTIONS /x HTTP/1.1')
})
