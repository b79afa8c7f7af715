import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { test, type TestContext } from 'node:test'
import { listenApp, startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { listen, startBackend } from '../support/backend.ts'
import { rawClient } from '../support/raw.ts'
import { handshake, startUpgradeBackend, switching } from '../support/upgrade-backend.ts'
import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'

type Fields = Record<string, string | string[]>

/** A backend whose responses have these fields, `{origin}` and `{host}` being its own and the one that it was asked for. */
async function startNaming(t: TestContext, protocol: 'http1' | 'h2c', fields: Fields) {
  const sent: (string | undefined)[] = []
  let origin = ''
  const answer = (
    request: Pick<IncomingMessage, 'url' | 'headers'>,
    response: Pick<ServerResponse, 'writeHead' | 'end'>,
  ) => {
    sent.push(request.url)
    const host = request.headers.host ?? (request.headers[':authority'] as string)
    const named = (text: string) => text.replaceAll('{origin}', origin).replaceAll('{host}', host)
    const entries = Object.entries(fields).map(([name, value]) => [name, [value].flat().map(named)] as const)
    response.writeHead(302, Object.fromEntries(entries.map(([name, all]) => [name, all.length === 1 ? all[0] : all])))
    response.end()
  }
  if (protocol === 'http1') origin = (await startBackend(t, answer)).url
  else {
    const server = createHttp2Server(answer as never)
    const sessions = new Set<{ destroy(): void }>()
    server.on('session', (session) => sessions.add(session))
    origin = await listen(server)
    t.after(() => {
      for (const session of sessions) session.destroy()
      server.close()
    })
  }
  return { url: origin, sent }
}

const lanes = ['raw', 'full'] as const
const protocols = ['http1', 'h2c'] as const

for (const lane of lanes) {
  for (const protocol of protocols) {
    const start = async (t: TestContext, fields: Fields, options: BalancerOptions) => {
      const backend = await startNaming(t, protocol, fields)
      const app = await startApp(t, { backends: [backend.url], lane, pool: { protocol }, ...options })
      return { ...app, backend }
    }

    test(`addresses follow a prefix that is removed: ${lane} lane, ${protocol}`, async (t) => {
      const { url } = await start(
        t,
        { location: '{origin}/x', 'content-location': '/y', refresh: '1; url=http://{host}/z', link: '</a>; rel=next' },
        { prefix: '/api', rewrite: { stripPrefix: true } },
      )
      const { headers } = await ask(`${url}/api/here`)
      assert.deepEqual(
        [headers.location, headers['content-location'], headers.refresh, headers.link],
        ['/api/x', '/api/y', `1; url=${url}/api/z`, '</a>; rel=next'],
      )
    })

    test(`a redirect is followed to where the backend meant: ${lane} lane, ${protocol}`, async (t) => {
      const { url, backend } = await start(
        t,
        { location: '/v1/internal/acme/there?a=%2F' },
        { prefix: '/t/:tenant/api', rewrite: { prefix: '/v1/internal/:tenant' } },
      )
      const { headers } = await ask(`${url}/t/acme/api/here`)
      await ask(new URL(headers.location as string, url).href)
      assert.deepEqual(backend.sent, ['/v1/internal/acme/here', '/v1/internal/acme/there?a=%2F'])
    })

    test(`nothing changes unless an option says so: ${lane} lane, ${protocol}`, async (t) => {
      const fields = { location: '{origin}/x', 'set-cookie': ['a=1; Path=/x; Domain=b', 'c=2'] }
      const { url, backend } = await start(t, fields, { prefix: '/api' })
      const kept = await ask(`${url}/api/here`)
      assert.deepEqual([kept.headers.location, kept.headers['set-cookie']], [`${backend.url}/x`, fields['set-cookie']])
      const off = await start(t, fields, { prefix: '/api', rewrite: { stripPrefix: true, location: false } })
      assert.equal((await ask(`${off.url}/api/here`)).headers.location, `${off.backend.url}/x`)
    })

    test(`the backend's own address is not for clients, where location is on: ${lane} lane, ${protocol}`, async (t) => {
      const { url } = await start(t, { location: '{origin}/x' }, { rewrite: { location: true }, host: 'backend' })
      assert.equal((await ask(url)).headers.location, '/x')
      const named = await start(
        t,
        { location: 'https://{host}/x' },
        { rewrite: { location: true }, host: 'app.internal' },
      )
      assert.equal((await ask(named.url)).headers.location, `${named.url.replace('http', 'https')}/x`)
    })

    test(`cookies of the backend change, and no others: ${lane} lane, ${protocol}`, async (t) => {
      const { url, app } = await start(
        t,
        { 'set-cookie': ['a=1; Path=/x; Domain=b.internal; HttpOnly', 'b=2; path=/', '__Host-c=3; Path=/; Secure'] },
        { prefix: '/api', rewrite: { stripPrefix: true, cookies: { path: true, domain: { 'b.internal': '' } } } },
      )
      app.balancer.addHook('onResponse', (attempt) => {
        attempt.headers['set-cookie'] = [
          ...[attempt.headers['set-cookie'] ?? []].flat().map(String),
          'own=4; Path=/; Domain=b.internal',
        ]
      })
      const { headers } = await ask(`${url}/api`)
      assert.deepEqual(headers['set-cookie'], [
        'a=1; Path=/api/x; HttpOnly',
        'b=2; path=/api',
        '__Host-c=3; Path=/; Secure',
        'own=4; Path=/; Domain=b.internal',
      ])
    })
  }
}

test('the cookies of a WebSocket handshake change, too, and its path', async (t) => {
  const backend = await startUpgradeBackend(
    t,
    (head) => `${switching(head)}set-cookie: a=1; Path=/chat\r\nlocation: /chat\r\n\r\n`,
  )
  const { port } = await startApp(t, {
    backends: [backend.url],
    prefix: '/:room/ws',
    rewrite: { prefix: '/v2/:room', cookies: { path: { '/chat': '/all' } } },
  })
  const client = await rawClient(t, port)
  client.send(handshake('/red/ws/chat?x'))
  const received = await client.until(/\r\n\r\n/)
  assert.match(received, /^HTTP\/1\.1 101 /)
  assert.match(received, /set-cookie: a=1; Path=\/all\r\n/i)
  assert.match(backend.connections[0]!.head, /^GET \/v2\/red\/chat\?x HTTP/)
})

test('a redirect cannot lead to another server by the path of a client', async (t) => {
  const backend = await startNaming(t, 'http1', { location: '/x' })
  const app = Fastify({ routerOptions: { ignoreDuplicateSlashes: true } })
  await app.register(balancer, {
    backends: [backend.url],
    prefix: '/:tenant',
    rewrite: { stripPrefix: true },
    paths: 'as-is',
  })
  const { port } = await listenApp(t, app)
  for (const path of ['//evil.example/y', '///evil.example//y', '/%2Fevil.example/y']) {
    const client = await rawClient(t, port)
    client.send(`GET ${path} HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n`)
    const [, location] = /^location: (.*)\r$/im.exec(await client.closed())!
    assert.equal(new URL(location!, 'http://a.example/').origin, 'http://a.example', `${path} made ${location}`)
  }
})

test('a parameter that a backend may read differently is refused, byte for byte taken over otherwise', async (t) => {
  const backend = await startBackend(t)
  const { port } = await startApp(t, {
    backends: [backend.url],
    prefix: '/:tenant/api',
    rewrite: { prefix: '/t/:tenant' },
  })
  const statusOf = async (path: string) => {
    const client = await rawClient(t, port)
    client.send(`GET ${path} HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n`)
    return /^HTTP\/1\.1 (\d+)/.exec(await client.closed())![1]
  }
  const refused = [
    '/a%2Fb/api/x',
    '/..%2Fadmin/api',
    '/%2e%2e/api/x',
    '/../api/x',
    '/a;b/api/x',
    '/a%5Cb/api/x',
    '/a%00/api',
    '/a%3Fb/api',
    '//api/x',
    '/a%252Fb/api',
  ]
  for (const path of refused) assert.match(String(await statusOf(path)), /^40[04]$/, path)
  assert.deepEqual(backend.received, [])
  for (const path of ['/acme/api', '/%61cme/api/x%2Fy?q=../z', '/b%C3%BC/api//x'])
    assert.equal(await statusOf(path), '200', path)
  assert.deepEqual(
    backend.received.map(({ url }) => url),
    ['/t/acme', '/t/%61cme/x%2Fy?q=../z', '/t/b%C3%BC//x'],
  )
})

test('a proxy in front that is trusted may have another name for us', async (t) => {
  const backend = await startNaming(t, 'http1', { location: 'https://public.example/x' })
  const options = { backends: [backend.url], prefix: '/api', rewrite: { stripPrefix: true } }
  const trusting = await startApp(t, options, { trustProxy: true })
  const headers = { 'x-forwarded-host': 'public.example', 'x-forwarded-proto': 'https' }
  assert.equal((await ask(`${trusting.url}/api`, { headers })).headers.location, 'https://public.example/api/x')
  const other = await startApp(t, options)
  assert.equal((await ask(`${other.url}/api`, { headers })).headers.location, 'https://public.example/x')
})

test('a parameter is taken over as it came, whatever the router makes of paths', async (t) => {
  for (const routerOptions of [
    { caseSensitive: false },
    { ignoreDuplicateSlashes: true },
    { ignoreTrailingSlash: true },
    { useSemicolonDelimiter: true },
  ]) {
    const backend = await startBackend(t)
    const app = Fastify({ routerOptions })
    await app.register(balancer, { backends: [backend.url], prefix: '/:tenant/api', rewrite: { prefix: '/t/:tenant' } })
    const { url } = await listenApp(t, app)
    for (const path of ['/Acme/api/X', '/%C3%84/api/', '/caf%E9/api', '/a+b,c=d@e$f&g/api/x'])
      assert.equal((await ask(url + path)).status, 200, `${JSON.stringify(routerOptions)} ${path}`)
    assert.deepEqual(
      backend.received.map((request) => request.url),
      ['/t/Acme/X', '/t/%C3%84/', '/t/caf%E9', '/t/a+b,c=d@e$f&g/x'],
    )
  }
})
