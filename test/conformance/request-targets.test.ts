import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { listenApp, startApp } from '../support/app.ts'
import { failOnCrash } from './no-crash.ts'
import { startWireBackend } from './wire-backend.ts'
import { exchange, get, wireClient } from './wire-client.ts'
import { valueOf } from './wire-message.ts'

failOnCrash()

const every = Array.from({ length: 256 }, (_, code) => String.fromCodePoint(code))
/** Bytes that may not stand in a target: controls and the space; what is not ASCII is refused by Node's parser. */
const refusedBytes = every.filter((byte) => byte <= ' ' || byte > '~')
/** The rest; `%` only before two digits, or Fastify's router finds the path malformed. */
const acceptedBytes = every.filter((byte) => byte > ' ' && byte <= '~' && byte !== '#' && byte !== '%')

/** Request lines up to the version. None of them may get anywhere. */
const refused: readonly string[] = [
  'GET api',
  'GET api/x',
  'GET ?x',
  'GET ',
  'GET *',
  'POST *',
  'GET .',
  'GET ../x',
  'GET \\x',
  'GET a.example:80',
  'GET ftp://a.example/x',
  'GET file:///etc/passwd',
  'GET javascript:alert(1)',
  'GET http:',
  'GET http:/x',
  'GET http:///x',
  'GET http://',
  'GET http://user@a.example/x',
  'GET http://user:word@a.example/x',
  'GET http://user@a.example',
  'GET http://a.example/x#y',
  'GET http://a.example\\@b.example/',
  'GET http://a.example /x',
  'GET /x#y',
  'GET /#',
  'GET /?x#y',
  'GET /x y',
  'GET /x HTTP/1.1 y',
]

describe('a target that no backend should see gets 400', () => {
  const targets = [...refused, ...refusedBytes.flatMap((byte) => [`GET /x${byte}y`, `GET /?x${byte}y`])]
  test('and nothing reaches a backend', async (t) => {
    const backend = await startWireBackend(t)
    const { app, port } = await startApp(t, { backends: [backend.url] })
    for (const line of targets) {
      await t.test(JSON.stringify(line), async (t) => {
        const { requests } = app.balancer.backends[0]!
        const response = await exchange(t, port, `${line} HTTP/1.1\r\nhost: a.example\r\n\r\n`)
        assert.equal(response.status, 400)
        assert.equal(app.balancer.backends[0]!.requests, requests)
      })
    }
    assert.equal((await exchange(t, port, get('/good'))).status, 200)
    assert.equal(backend.connections.length, 1)
    assert.match(backend.received, /^GET \/good HTTP\/1\.1\r\n/)
  })
})

test('CONNECT is answered with nothing, and nothing reaches a backend', async (t) => {
  const backend = await startWireBackend(t)
  const { app, port } = await startApp(t, { backends: [backend.url] })
  for (const target of ['a.example:80', 'a.example', '/', '*', 'http://a.example/']) {
    await t.test(target, async (t) => {
      const client = await wireClient(t, port)
      client.send(`CONNECT ${target} HTTP/1.1\r\nhost: a.example\r\n\r\n`)
      assert.doesNotMatch(await client.closed(), /^HTTP\/1\.1 [1-3]/)
      assert.equal(app.balancer.backends[0]!.requests, 0)
    })
  }
  assert.equal((await exchange(t, port, get('/good'))).status, 200)
  assert.equal(backend.connections.length, 1)
})

const accepted: readonly string[] = [
  '/',
  '//',
  '//x//y',
  '//b.example/x',
  '/x//',
  '/...',
  '/x%2Fy%5Cz',
  '/%00',
  '/%c3%a9/%E2%82%AC',
  '/;a=b',
  '/x;a=b;c?d;e',
  '/?',
  '/??',
  '/?x=%',
  '/?x=%zz&&=&y',
  '/?//../x',
  '/?http://b.example/#'.slice(0, -1),
  '/*',
  '/:x',
  '/@b.example',
  '/http://b.example/',
  '/x?a[]=1&a[]=2&a[__proto__]=3',
  ...acceptedBytes.flatMap((byte) => [`/x${byte}y`, `/?x${byte}y`]),
  `/${acceptedBytes.join('')}`,
  `/?${acceptedBytes.join('')}`,
  `/${'x'.repeat(12_000)}`,
  `/${'x/'.repeat(6000)}`,
  `/?${'x=y&'.repeat(3000)}`,
]

test('a target that is accepted is forwarded byte for byte', async (t) => {
  const backend = await startWireBackend(t)
  const { port } = await startApp(t, { backends: [backend.url] })
  for (const target of accepted) {
    await t.test(target.slice(0, 60), async (t) => {
      const response = await exchange(t, port, get(target))
      assert.equal(response.status, 200)
      assert.equal(backend.requests.at(-1)?.start, `GET ${target} HTTP/1.1`)
    })
  }
  assert.equal(backend.requests.length, accepted.length)
})

/** A request of this target for this host. */
const getFor = (target: string, host: string) => `GET ${target} HTTP/1.1\r\nhost: ${host}\r\n\r\n`

test('an absolute target goes on as a path, with its authority as Host', async (t) => {
  const absolute: Record<string, [path: string, host: string, given?: string]> = {
    'http://b.example/': ['/', 'b.example'],
    'http://b.example': ['/', 'b.example'],
    'http://b.example?x=y': ['/?x=y', 'b.example'],
    'http://b.example/x//y?z=..': ['/x//y?z=..', 'b.example'],
    'http://b.example//x': ['//x', 'b.example'],
    'http://b.example/%2e%2e%2e/x': ['/%2e%2e%2e/x', 'b.example'],
    'http://b.example/http://c.example/': ['/http://c.example/', 'b.example'],
    'http://b.example/@c.example': ['/@c.example', 'b.example'],
    'http://B.example:8080/x': ['/x', 'B.example:8080', 'b.EXAMPLE:8080'],
    'HTTP://b.example/x': ['/x', 'b.example'],
    'http://b.example:80/x': ['/x', 'b.example:80', 'b.example'],
    'http://b.example/y': ['/y', 'b.example', 'B.Example:80'],
    'https://b.example/x': ['/x', 'b.example'],
    'https://b.example:443/x': ['/x', 'b.example:443', 'b.example'],
    'http://[::1]:8080/x': ['/x', '[::1]:8080'],
    'http://127.0.0.1/x': ['/x', '127.0.0.1'],
  }
  const backend = await startWireBackend(t)
  const { port } = await startApp(t, { backends: [backend.url] })
  for (const [target, [path, host, given = host]] of Object.entries(absolute)) {
    await t.test(target, async (t) => {
      const response = await exchange(t, port, getFor(target, given))
      assert.equal(response.status, 200)
      const request = backend.requests.at(-1)!
      assert.equal(request.start, `GET ${path} HTTP/1.1`)
      assert.equal(valueOf(request, 'host'), host)
    })
  }
})

test('the fields that tell of Host tell of the authority of an absolute target', async (t) => {
  const backend = await startWireBackend(t)
  const { port } = await startApp(t, { backends: [backend.url], forwarded: { forwarded: true } })
  await exchange(t, port, getFor('http://b.example:81/x', 'B.example:81'))
  const [request] = backend.requests
  assert.equal(valueOf(request!, 'x-forwarded-host'), 'b.example:81')
  assert.equal(valueOf(request!, 'forwarded'), 'for=127.0.0.1;proto=http;host="b.example:81"')
})

test('an absolute target that names another host than the router has used gets 400', async (t) => {
  const [open, inner] = [await startWireBackend(t), await startWireBackend(t)]
  const app = Fastify()
  await app.register(balancer, { name: 'open', backends: [open.url] })
  const constraints = { host: 'internal.example' }
  await app.register(balancer, { name: 'inner', constraints, backends: [inner.url] })
  const { port } = await listenApp(t, app)
  for (const [target, host] of [
    ['http://internal.example/', 'public.example'],
    ['http://internal.example/', ''],
    ['http://internal.example/', 'internal.example.'],
    ['http://internal.example/', 'internal.example:81'],
    ['http://internal.example:81/', 'internal.example'],
    ['http://internal.example:443/', 'internal.example'],
    ['https://internal.example/', 'internal.example:80'],
    ['http://public.example/', 'internal.example'],
    ['http://internal.example?x', 'public.example'],
  ] as const)
    assert.equal((await exchange(t, port, getFor(target, host))).status, 400, `${target} of ${host}`)
  // A client of HTTP/1.0 need not name one, but then the router has used none.
  assert.equal((await exchange(t, port, 'GET http://internal.example/ HTTP/1.0\r\n\r\n')).status, 400)
  assert.deepEqual([open.requests.length, inner.requests.length], [0, 0])
  assert.equal((await exchange(t, port, getFor('http://internal.example/', 'internal.example'))).status, 200)
  assert.equal((await exchange(t, port, getFor('http://public.example/', 'public.example'))).status, 200)
  assert.deepEqual([open.requests.length, inner.requests.length], [1, 1])
})

const badHosts = [
  ...[
    'a b',
    'a\tb',
    'user@a',
    'user:word@a',
    'a/../b?c',
    'a/',
    'a?b',
    'a#b',
    'a:b:c',
    'http://a',
    'a:b',
    'a:-1',
    'a:65536',
  ],
  ...[
    '::1',
    '[::1',
    '[]',
    '[a]',
    '[::1]a',
    '[1::2::3]',
    '[fe80::1%25eth0]',
    ':80',
    ':',
    'a\\b',
    'a"b',
    'a%',
    'a%zz',
    'a<b',
  ],
  'a\u00e9',
]
// prettier
const goodHosts = [
  'a',
  'A.example',
  'a:',
  'a:80',
  'a:65535',
  'a_b',
  '127.0.0.1:1',
  '[::1]',
  '[::1]:',
  '[2001:db8::1]:80',
  'a.',
  "a!$&'()*+,;=b",
]

test('a Host that is no authority gets 400, whatever is asked of it', async (t) => {
  const backend = await startWireBackend(t)
  const { port } = await startApp(t, { backends: [backend.url] })
  for (const host of badHosts)
    for (const start of ['GET / HTTP/1.1', 'OPTIONS * HTTP/1.1', 'POST / HTTP/1.0'])
      assert.equal((await exchange(t, port, `${start}\r\nhost: ${host}\r\n\r\n`)).status, 400, `${start} of ${host}`)
  assert.equal((await exchange(t, port, 'OPTIONS * HTTP/1.1\r\nhost:\r\n\r\n')).status, 400)
  assert.equal(backend.requests.length, 0)
})

test('a Host that is one crosses as it is', async (t) => {
  const backend = await startWireBackend(t)
  const { port } = await startApp(t, { backends: [backend.url] })
  for (const host of goodHosts) {
    assert.equal((await exchange(t, port, getFor('/', host))).status, 200, host)
    assert.equal(valueOf(backend.requests.at(-1)!, 'host'), host)
    assert.equal(valueOf(backend.requests.at(-1)!, 'x-forwarded-host'), host)
    assert.equal((await exchange(t, port, `OPTIONS * HTTP/1.1\r\nhost: ${host}\r\n\r\n`)).status, 200, host)
    assert.equal(backend.requests.at(-1)!.start, `OPTIONS http://${host} HTTP/1.1`)
  }
})

describe('below a prefix', () => {
  const climbing = [
    '/api/..',
    '/api/../x',
    '/api/./x',
    '/api/.',
    '/api/x/..',
    '/api/x/../../y',
    '/api/%2e%2e/x',
    '/api/%2E%2E',
    '/api/.%2e/x',
    '/api/%2e./x',
    '/api/%2e/x',
    '/api//../x',
    // A backend may decode before it resolves, or read a backslash as a slash.
    '/api/..%2fx',
    '/api/%2e%2e%2Fx',
    '/api/x%2f..%2f..%2fy',
    '/api/..%5cx',
    '/api/..\\x',
    '/api/..;/x',
    '/api/..;a=b/x',
    '/api/..%3b/x',
    '/api/..%00/x',
    '/api/..%00.png',
    '/api/%252e%252e/x',
    '/api/..%252fx',
    '/api/..?x',
    '/api/%2e%2e?x',
    'http://a.example/api/../x',
  ]
  const staying = [
    ['/api', '/'],
    ['/api?x=/../y', '/?x=/../y'],
    ['/api/', '/'],
    ['/api/x', '/x'],
    ['/api//x', '//x'],
    ['/api/...', '/...'],
    ['/api/..x', '/..x'],
    ['/api/x..', '/x..'],
    ['/api/.x/%2ex', '/.x/%2ex'],
    ['/api/x?../..', '/x?../..'],
    ['/api/%2fx', '/%2fx'],
    ['/%61pi/x%20y', '/x%20y'],
  ] as const

  for (const stripPrefix of [false, true]) {
    test(`a path that climbs is refused (stripPrefix: ${stripPrefix})`, async (t) => {
      const backend = await startWireBackend(t)
      const { app, port } = await startApp(t, { backends: [backend.url], prefix: '/api', rewrite: { stripPrefix } })
      for (const target of climbing) {
        await t.test(target, async (t) => {
          const { requests } = app.balancer.backends[0]!
          assert.equal((await exchange(t, port, get(target))).status, 400)
          assert.equal(app.balancer.backends[0]!.requests, requests)
        })
      }
      assert.equal((await exchange(t, port, get('/api/good'))).status, 200)
      assert.equal(backend.connections.length, 1)
      assert.equal(backend.requests.length, 1)
    })

    test(`any other is forwarded as it is (stripPrefix: ${stripPrefix})`, async (t) => {
      const backend = await startWireBackend(t)
      const { port } = await startApp(t, { backends: [backend.url], prefix: '/api', rewrite: { stripPrefix } })
      for (const [target, stripped] of staying) {
        await t.test(target, async (t) => {
          assert.equal((await exchange(t, port, get(target))).status, 200)
          assert.equal(backend.requests.at(-1)?.start, `GET ${stripPrefix ? stripped : target} HTTP/1.1`)
        })
      }
    })

    test(`what only begins like the prefix is not below it (stripPrefix: ${stripPrefix})`, async (t) => {
      const backend = await startWireBackend(t)
      const { port } = await startApp(t, { backends: [backend.url], prefix: '/api', rewrite: { stripPrefix } })
      for (const target of ['/', '/apix', '/ap', '/x/api', '//api/x', '/api%2fx', '/api;x', '/API/x', '/x/../api/y']) {
        await t.test(target, async (t) => {
          assert.equal((await exchange(t, port, get(target))).status, 404)
          assert.equal(backend.connections.length, 0)
        })
      }
    })
  }
})
