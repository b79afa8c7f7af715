import cors from '@fastify/cors'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../support/ask.ts'
import { startFront } from '../support/front.ts'

const origin = 'https://app.example'
const preflight = {
  origin,
  'access-control-request-method': 'PUT',
  'access-control-request-headers': 'x-token',
}

/** The plugin has a route of its own for OPTIONS, on every path of its scope. */
const places = [
  { name: 'the catch-all route', way: 'the catch-all route', prefix: '/' },
  { name: 'the catch-all route under a prefix', way: 'the catch-all route', prefix: '/api' },
  { name: 'reply.forward()', way: 'reply.forward()', prefix: '/api' },
] as const

for (const { name, ...place } of places) {
  const path = place.prefix === '/' ? '/thing' : `${place.prefix}/thing`

  for (const lane of ['raw', 'full'] as const)
    test(`@fastify/cors: its headers are on what is forwarded, ${lane} lane, ${name}`, async (t) => {
      const front = await startFront(t, {
        ...place,
        before: (app) => app.register(cors, { origin: true, credentials: true, exposedHeaders: ['x-total'] }),
        balancer: { lane },
        listener: (_request, response) => {
          response.setHeader('vary', 'Accept-Language')
          // The backend knows nothing of the outside: what the app says about origins holds.
          response.setHeader('access-control-allow-origin', 'http://backend.internal')
          response.end('hello')
        },
      })
      for (const question of [{ method: 'GET' }, { method: 'POST', body: 'hello' }]) {
        const { status, headers, body } = await ask(front.url + path, { ...question, headers: { origin } })
        assert.deepEqual([status, body], [200, 'hello'])
        assert.equal(headers['access-control-allow-origin'], origin)
        assert.equal(headers['access-control-allow-credentials'], 'true')
        assert.equal(headers['access-control-expose-headers'], 'x-total')
        assert.deepEqual(String(headers.vary).split(', ').sort(), ['Accept-Language', 'Origin'])
      }
    })

  test(`@fastify/cors answers preflight requests itself, ${name}`, async (t) => {
    const front = await startFront(t, {
      ...place,
      before: (app) => app.register(cors, { origin, methods: ['GET', 'PUT'], maxAge: 60 }),
    })
    for (const query of ['', '/deep/down?x=1']) {
      const { status, headers } = await ask(front.url + path + query, { method: 'OPTIONS', headers: preflight })
      assert.equal(status, 204)
      assert.equal(headers['access-control-allow-origin'], origin)
      assert.equal(headers['access-control-allow-methods'], 'GET, PUT')
      assert.equal(headers['access-control-allow-headers'], 'x-token')
      assert.equal(headers['access-control-max-age'], '60')
    }
    const { status, body } = await ask(front.url + path, { method: 'OPTIONS', headers: { origin } })
    assert.deepEqual([status, body], [400, 'Invalid Preflight Request'])
    front.assertUntouched()
  })

  test(`@fastify/cors: a failure is told with the headers, so that a browser may read it, ${name}`, async (t) => {
    const front = await startFront(t, { ...place, before: (app) => app.register(cors, { origin }) })
    await front.backend.stop()
    const { status, headers } = await ask(front.url + path, { headers: { origin } })
    assert.deepEqual([status, headers['access-control-allow-origin']], [502, origin])
  })

  test(`@fastify/cors: an origin that is not allowed gets no header, and is forwarded, ${name}`, async (t) => {
    const front = await startFront(t, { ...place, before: (app) => app.register(cors, { origin: [origin] }) })
    const { status, headers } = await ask(front.url + path, { headers: { origin: 'https://evil.example' } })
    assert.deepEqual([status, headers['access-control-allow-origin'], headers.vary], [200, undefined, 'Origin'])
  })

  test(`@fastify/cors: an origin that its function refuses never reaches a backend, ${name}`, async (t) => {
    const front = await startFront(t, {
      ...place,
      before: (app) =>
        app.register(cors, {
          origin: async (asked: string | undefined) => {
            if (asked !== origin) throw new Error('Not allowed')
            return true
          },
        }),
    })
    assert.equal((await ask(front.url + path, { headers: { origin: 'https://evil.example' } })).status, 500)
    front.assertUntouched()
    const allowed = await ask(front.url + path, { headers: { origin } })
    assert.deepEqual([allowed.status, allowed.headers['access-control-allow-origin']], [200, origin])
  })
}

// Under a prefix a route is closer than the plugin's own, so what the plugin leaves alone is forwarded.
for (const { name, ...place } of places.filter(({ prefix }) => prefix !== '/')) {
  test(`@fastify/cors with preflightContinue: the backend answers, with the app's headers, ${name}`, async (t) => {
    const front = await startFront(t, {
      ...place,
      before: (app) => app.register(cors, { origin, preflightContinue: true }),
      listener: (_request, response) => response.writeHead(204, { allow: 'GET' }).end(),
    })
    const { status, headers } = await ask(`${front.url}/api/thing`, { method: 'OPTIONS', headers: preflight })
    assert.deepEqual([status, headers.allow, headers['access-control-allow-origin']], [204, 'GET', origin])
    assert.equal(front.backend.received[0]!.method, 'OPTIONS')
  })

  test(`@fastify/cors without preflight leaves OPTIONS to the backend, ${name}`, async (t) => {
    const front = await startFront(t, {
      ...place,
      before: (app) => app.register(cors, { origin, preflight: false }),
      listener: (_request, response) => response.writeHead(200, { allow: 'GET' }).end(),
    })
    const { status, headers } = await ask(`${front.url}/api/thing`, { method: 'OPTIONS', headers: preflight })
    assert.deepEqual([status, headers.allow], [200, 'GET'])
  })
}

test('@fastify/cors: overridden for one route that calls reply.forward()', async (t) => {
  const front = await startFront(t, {
    prefix: '/api',
    before: async (app) => {
      await app.register(cors, { origin })
      app.get('/open', { config: { cors: { origin: '*' } } }, (_request, reply) => reply.forward())
      app.get('/closed', { config: { cors: false } }, (_request, reply) => reply.forward())
    },
  })
  const allowed = async (path: string) =>
    (await ask(front.url + path, { headers: { origin } })).headers['access-control-allow-origin']
  assert.deepEqual([await allowed('/open'), await allowed('/closed'), await allowed('/api')], ['*', undefined, origin])
})
