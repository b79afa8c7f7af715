import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import assert from 'node:assert/strict'
import { METHODS } from 'node:http'
import { describe, test } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask as askOver } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import adminRoutes, { type AdminRoutesOptions } from '../../src/index.ts'
import { FaultView } from '../../src/schemas/views.ts'
import { a, assertIs, stage } from '../stage.ts'

class Refusal extends Error {
  readonly statusCode = 401
}

async function member({ headers }: FastifyRequest): Promise<void> {
  if (headers['x-member'] === undefined) throw new Refusal('who are you?')
}

async function operator({ headers }: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (headers['x-operator'] === undefined) await reply.code(403).send({ message: 'you may only look' })
}

const allowed = { 'x-member': 'yes', 'x-operator': 'yes' }
const backends = '/balancers/default/backends'

/** Every route, and what is none. */
const asked: readonly (readonly [method: string, path: string, given?: unknown])[] = [
  ['GET', '/balancers'],
  ['GET', '/balancers/default'],
  ['GET', backends],
  ['PUT', backends, { backends: [] }],
  ['PUT', backends, { backends: 'wrong' }],
  ['POST', backends, { url: 'http://127.0.0.1:9' }],
  ['GET', `${backends}/a`],
  ['PATCH', `${backends}/a`, { weight: 2 }],
  ['PATCH', `${backends}/a`, { weight: 'wrong' }],
  ['DELETE', `${backends}/a`],
  ['PUT', `${backends}/a/state`, { state: 'drain' }],
  ['GET', `${backends}/a/wait`],
  ['POST', `${backends}/a/probe`],
  ['PUT', `${backends}/a/circuit`, { state: 'open' }],
  ['POST', '/balancers/default/explain', {}],
  ['POST', '/balancers/default/rollback', { revision: 1 }],
  ['GET', '/events'],
  ['GET', '/ready'],
  ['GET', '/live'],
  ['HEAD', '/balancers'],
  ['OPTIONS', '/balancers'],
  ['DELETE', '/balancers'],
  ['GET', ''],
  ['GET', '/'],
  ['GET', '/nothing/of/that/kind'],
  ['GET', `/balancers/${'long'.repeat(100)}`],
  ['GET', `${backends}/nobody`],
]

for (const position of ['onRequest', 'preHandler'] as const)
  test(`with a hook in ${position}, nothing answers whom it refuses`, async (t) => {
    const { ask, list, told } = await stage(t, { admin: { [position]: member } })
    for (const [method, path, given] of asked) {
      const { status, body, headers } = await ask(method, path, given)
      assert.equal(status, 401, `${method} ${path}`)
      if (method !== 'HEAD')
        assert.deepEqual(body, { statusCode: 401, error: 'Unauthorized', message: 'who are you?' }, `${method} ${path}`)
      assert.deepEqual([headers.etag, headers.allow], [undefined, undefined])
    }
    assert.deepEqual([list(), told], [['a 1', 'b 2'], []])
    assert.equal((await ask('GET', '/balancers', undefined, allowed)).status, 200)
    assert.equal((await ask('PATCH', `${backends}/a`, { weight: 2 }, allowed)).status, 200)
  })

test('what the router finds no route for is guarded too', async (t) => {
  const { ask } = await stage(t, {
    admin: { onRequest: member },
    between: (app) => app.get('/versioned', { constraints: { version: '1.0.0' } }, async () => 'one'),
  })
  const versioned = { 'accept-version': '1.x' }
  assert.equal((await ask('GET', '/balancers', undefined, versioned)).status, 401)
  assert.equal((await ask('GET', '/balancers', undefined, { ...versioned, ...allowed })).status, 404)
})

test('a viewer may look, and change nothing', async (t) => {
  const { ask, list, told } = await stage(t, { admin: { onRequest: [member], operate: { preHandler: operator } } })
  const viewer = { 'x-member': 'yes' }
  const statuses: string[] = []
  for (const [method, path, given] of asked) {
    if (path === '/events') continue
    const { status } = await ask(method, path, given, viewer)
    statuses.push(`${status} ${method} ${path.slice(0, 50)}`)
  }
  assert.deepEqual(statuses, [
    '200 GET /balancers',
    '200 GET /balancers/default',
    `200 GET ${backends}`,
    `403 PUT ${backends}`,
    `403 PUT ${backends}`,
    `403 POST ${backends}`,
    `200 GET ${backends}/a`,
    `403 PATCH ${backends}/a`,
    `403 PATCH ${backends}/a`,
    `403 DELETE ${backends}/a`,
    `403 PUT ${backends}/a/state`,
    `200 GET ${backends}/a/wait`,
    `403 POST ${backends}/a/probe`,
    `403 PUT ${backends}/a/circuit`,
    '200 POST /balancers/default/explain',
    '403 POST /balancers/default/rollback',
    '200 GET /ready',
    '200 GET /live',
    '200 HEAD /balancers',
    '404 OPTIONS /balancers',
    '404 DELETE /balancers',
    '404 GET ',
    '404 GET /',
    '404 GET /nothing/of/that/kind',
    `404 GET /balancers/${'long'.repeat(100)}`.slice(0, 58),
    `404 GET ${backends}/nobody`,
  ])
  assert.deepEqual([list(), told], [['a 1', 'b 2'], []])
  const { status } = await ask('PATCH', `${backends}/a`, { weight: 4 }, allowed)
  assert.deepEqual([status, list()], [200, ['a 4', 'b 2']])
})

test('a hook for each role is enough; what is no route asks that of `read`', async (t) => {
  const { ask } = await stage(t, { admin: { read: { onRequest: member }, operate: { onRequest: operator } } })
  assert.equal((await ask('GET', '/nothing')).status, 401)
  assert.equal((await ask('GET', '/balancers')).status, 401)
  assert.equal((await ask('DELETE', `${backends}/a`)).status, 403)
  assert.equal((await ask('DELETE', `${backends}/a`, undefined, { 'x-operator': 'yes' })).status, 200)
})

test('probes of an orchestrator may be let in, and nothing else with them', async (t) => {
  const { ask } = await stage(t, { admin: { onRequest: member, openProbes: true } })
  assert.deepEqual((await ask('GET', '/ready')).body, { ready: true })
  assert.deepEqual((await ask('GET', '/live')).body, { live: true })
  assert.equal((await ask('HEAD', '/ready')).status, 200)
  assert.equal((await ask('POST', '/ready')).status, 401)
  assert.equal((await ask('GET', '/balancers')).status, 401)
})

test('what a hook says with a 503 is told, also by `/ready`, which has one of its own', async (t) => {
  const { ask } = await stage(t, {
    admin: {
      onRequest: async () => {
        throw Object.assign(new Error('the sessions cannot be reached'), { statusCode: 503 })
      },
    },
  })
  const body = { statusCode: 503, error: 'Service Unavailable', message: 'the sessions cannot be reached' }
  for (const path of ['/ready', '/live', '/events', '/server']) {
    const answer = await ask('GET', path)
    assert.deepEqual([answer.status, answer.body], [503, body], path)
  }
})

test('the balancer forwards nothing below the prefix, whatever the method, and everything else', async (t) => {
  const backend = await startBackend(t)
  const app = Fastify()
  await app.register(balancer, { backends: [backend.url] })
  await app.register(adminRoutes, { insecure: true, prefix: '/inner/admin' })
  const { url } = await listenApp(t, app)
  for (const method of METHODS) {
    if (method === 'CONNECT') continue
    // Of QUERY, Fastify itself refuses what has no content type.
    const expected = method === 'QUERY' ? 400 : 404
    for (const path of ['/inner/admin', '/inner/admin/', '/inner/admin/balancer', '/inner/admin/a/b?c'])
      assert.equal((await askOver(url + path, { method })).status, expected, `${method} ${path}`)
  }
  assert.equal(backend.received.length, 0)
  assert.equal((await askOver(`${url}/inner/administration`)).status, 200)
  assert.equal((await askOver(`${url}/balancers`)).status, 200)
})

describe('beside others', () => {
  const onRequest = async () => {
    throw Object.assign(new Error('who are you?'), { statusCode: 401 })
  }

  for (const [what, prefix, inFirst] of [
    ['the same prefix', '/ops', true],
    ['a prefix below', '/ops/api', true],
    ['a prefix below, and later', '/ops/api/', false],
  ] as const)
    test(`a balancer with ${what} is refused: it would forward what is for the admin routes`, async (t) => {
      const app = Fastify()
      t.after(() => app.close())
      await app.register(balancer, { name: 'first', prefix: inFirst ? prefix : '/first', backends: [] })
      await assert.rejects(
        async () => {
          await app.register(adminRoutes, { onRequest, prefix: '/ops' })
          if (!inFirst) await app.register(balancer, { name: 'later', prefix, backends: [] })
          await app.ready()
        },
        { code: 'FST_BALANCER_ADMIN_BAD_OPTIONS', message: /with prefix '\/ops/ },
      )
    })

  test('a balancer with the same prefix in another scope, or with no route, does no harm', async (t) => {
    const app = Fastify()
    t.after(() => app.close())
    await app.register(
      async (scope) => {
        await scope.register(balancer, { name: 'x', prefix: '/ops/x' })
      },
      { prefix: '/inner' },
    )
    await app.register(balancer, { name: 'y', prefix: '/ops', route: false })
    await app.register(adminRoutes, { onRequest, prefix: '/ops' })
    await app.ready()
    for (const url of ['/ops/balancers', '/ops/x', '/ops/']) assert.equal((await app.inject(url)).statusCode, 401)
  })

  test('where the app has a route of its own below the prefix, only that is its own', async (t) => {
    const backend = await startBackend(t)
    const app = Fastify()
    app.get('/_balancer/*', async () => 'own')
    app.get('/_balancer/', async () => 'own')
    await app.register(balancer, { backends: [backend.url] })
    await app.register(adminRoutes, { onRequest })
    const { url } = await listenApp(t, app)
    for (const path of ['/_balancer/', '/_balancer/nothing']) {
      assert.equal((await askOver(url + path)).body, 'own')
      for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PROPFIND'])
        assert.equal((await askOver(url + path, { method })).status, 401, `${method} ${path}`)
    }
    assert.equal((await askOver(`${url}/_balancer/balancers`)).status, 401)
    assert.equal(backend.received.length, 0)
  })
})

test('what a hook answers is the same where there is a route and where there is none', async (t) => {
  const refusal = { error: 'Unauthorized', message: 'who are you?', login: '/login' }
  const { ask } = await stage(t, { admin: { onRequest: async (_request, reply) => reply.code(401).send(refusal) } })
  for (const [method, path] of [
    ['GET', '/balancers'],
    ['PUT', `${backends}/a/state`],
    ['GET', '/nothing'],
    ['PUT', '/balancers'],
  ] as const)
    assert.deepEqual((await ask(method, path)).body, refusal, `${method} ${path}`)
})

describe('bodies', () => {
  test('are JSON, and not too large', async (t) => {
    const { ask, list } = await stage(t, { admin: { insecure: true, bodyLimit: 100 } })
    const text = (type: string, payload: string) => ask('PUT', backends, payload, { 'content-type': type })
    assert.equal((await text('text/plain', '{"backends":[]}')).status, 415)
    assert.equal((await text('application/x-www-form-urlencoded', 'backends=')).status, 415)
    assert.equal((await text('application/json', '{"backends":')).status, 400)
    assert.equal((await text('application/json', '')).status, 400)
    assert.equal((await text('application/json', '{"backends":[],"__proto__":{}}')).status, 400)
    assert.equal((await text('application/json', `{"backends":["${'x'.repeat(100)}"]}`)).status, 413)
    const none = await ask('PUT', backends)
    assert.deepEqual([none.status, none.body.faults], [400, ['expected an object, got null']])
    assertIs(FaultView, none.body)
    assert.deepEqual(list(), ['a 1', 'b 2'])
  })

  test('are read by our own parser, and checked and written by our own schemas, whatever the app has', async (t) => {
    const { app, ask } = await stage(t, {
      between: (server) => {
        server.removeAllContentTypeParsers()
        server.addContentTypeParser('application/json', (_request, _payload, done) => done(null, { weight: 99 }))
        server.setValidatorCompiler(() => () => true)
        server.setSerializerCompiler(() => () => '"theirs"')
        server.setErrorHandler(async () => 'theirs')
      },
    })
    assert.equal((await ask('PATCH', `${backends}/a`, { weight: 5 })).body.weight, 5)
    assert.equal((await ask('PATCH', `${backends}/a`, { weight: 0 })).status, 400)
    assert.equal(app.balancer.backend('a').weight, 5)
  })
})

test('answers are written by our own schemas, also where the app has its own way for all of its answers', async (t) => {
  const { ask } = await stage(t, {
    between: (app) => app.setReplySerializer((payload) => JSON.stringify({ ok: true, data: payload })),
  })
  assert.deepEqual((await ask('GET', '/live')).body, { live: true })
  assert.equal((await ask('GET', '/balancers/other')).body.statusCode, 404)
})

test('what a hook throws keeps its header fields', async (t) => {
  const refuse = async () => {
    throw Object.assign(new Error('who are you?'), { statusCode: 401, headers: { 'www-authenticate': 'Bearer' } })
  }
  const { ask } = await stage(t, { admin: { onRequest: refuse } })
  for (const path of ['/balancers', '/nothing']) {
    const { status, headers } = await ask('GET', path)
    assert.deepEqual([status, headers['www-authenticate']], [401, 'Bearer'])
  }
})

describe('a page of another site', () => {
  const origin = 'http://localhost'
  const own = { host: 'localhost' }
  const cases: readonly (readonly [status: number, headers: Record<string, string>, admin?: AdminRoutesOptions])[] = [
    [200, {}],
    [200, { origin }],
    [200, { origin, 'sec-fetch-site': 'same-origin' }],
    [200, { 'sec-fetch-site': 'none' }],
    [403, { origin: 'http://evil.example' }],
    [403, { origin: 'https://localhost' }],
    [403, { origin: 'http://localhost:81' }],
    [403, { origin: 'null' }],
    [403, { 'sec-fetch-site': 'cross-site' }],
    [403, { 'sec-fetch-site': 'same-site' }],
    [200, { origin: 'https://ops.example', 'sec-fetch-site': 'cross-site' }, { origins: ['https://ops.example'] }],
    [200, { origin: 'http://10.0.0.1:8080', host: '10.0.0.1:8080' }],
    [200, { origin: 'http://[::1]:8080', host: '[::1]:8080' }],
    [200, { origin: 'http://lb.example', host: 'lb.example' }, { insecure: false, onRequest: async () => {} }],
    [403, { origin: 'http://evil.example', host: 'lb.example' }, { insecure: false, onRequest: async () => {} }],
  ]
  for (const [status, headers, admin] of cases)
    test(`${status} for ${JSON.stringify(headers)}`, async (t) => {
      const { ask, list } = await stage(t, { admin: { insecure: true, ...admin } })
      const answer = await ask('PATCH', `${backends}/a`, { weight: 3 }, { ...own, ...headers })
      assert.equal(answer.status, status)
      assert.deepEqual(list(), [status === 200 ? 'a 3' : 'a 1', 'b 2'])
      if (status === 403) assert.equal(answer.body.code, 'FST_BALANCER_ADMIN_CROSS_SITE')
      assert.equal((await ask('GET', backends, undefined, { ...own, ...headers })).status, 200)
    })
})

test('who it was: what the app has found out, or what the option says', async (t) => {
  const users: unknown[] = [{ id: 7 }, { name: 'ann' }, { username: 'bob' }, { sub: 'x' }, 'eve', {}, null, undefined]
  // What says nothing as text is passed over.
  users.push({ id: { $oid: '65' }, name: 'ann' }, { id: 2n ** 70n, name: 'ann' }, { id: true, sub: 'x' }, { id: {} })
  const queue = [...users]
  const { ask, told } = await stage(t, {
    admin: { onRequest: async (request) => void Object.assign(request, { user: queue.shift() }) },
  })
  for (const [index] of users.entries()) await ask('PATCH', `${backends}/a`, { weight: index + 1 })
  assert.deepEqual(
    told.map(({ who }) => who),
    ['7', 'ann', 'bob', 'x', 'eve', undefined, undefined, undefined, 'ann', String(2n ** 70n), 'x', undefined],
  )
})

test('when the option `user` throws, nothing has been done', async (t) => {
  const { ask, list } = await stage(t, {
    admin: {
      insecure: true,
      user: () => {
        throw new Error('the password is 12345')
      },
    },
  })
  const { status, body } = await ask('PATCH', `${backends}/a`, { weight: 2 })
  assert.deepEqual([status, body.message], [500, 'Internal Server Error'])
  assert.deepEqual(list(), ['a 1', 'b 2'])
})

describe('at boot', () => {
  const register = async (options: AdminRoutesOptions) => {
    const app = Fastify()
    await app.register(balancer, { backends: [a] })
    await app.register(adminRoutes, options)
    await app.close()
  }
  for (const [what, options] of Object.entries<AdminRoutesOptions>({
    nothing: {},
    'no hook in a list': { onRequest: [] },
    'only what looks': { read: { onRequest: member } },
    'only what changes': { operate: { onRequest: member } },
  }))
    test(`it does not start when ${what} is guarded`, () =>
      assert.rejects(register(options), { code: 'FST_BALANCER_ADMIN_UNGUARDED' }))

  test('it starts when it is told that it is insecure, and says so', async (t) => {
    const { log } = await stage(t)
    assert.match(log.all.find(({ level }) => level === 40)!.msg!, /insecure/)
    await register({ preHandler: member })
    await register({ read: { onRequest: member }, operate: { preHandler: [operator] } })
  })

  test('it names every fault of its options', async () => {
    const wrong = { prefix: '/', allow: ['10.0.0.0/33', 'a b', '*.x'], onRequest: 'x', origins: ['x/'], user: 1 }
    await assert.rejects(register({ ...wrong, prefix: 'x', unknown: 1 } as unknown as AdminRoutesOptions), {
      code: 'FST_BALANCER_ADMIN_BAD_OPTIONS',
      message:
        /unknown: unknown option; prefix: expected a path that begins with '\/' and does not end with it, got 'x'/,
    })
    await assert.rejects(register({ ...wrong, prefix: '/x' } as unknown as AdminRoutesOptions), {
      code: 'FST_BALANCER_ADMIN_BAD_OPTIONS',
      message:
        /: onRequest: expected a function, or an array of functions, got a string; allow\.0: .*; allow\.1: .*; origins\.0: 'x\/' is not an origin; user: expected a function, got .*$/,
    })
  })

  test('it does not start without a balancer', async () => {
    await assert.rejects(async () => {
      await Fastify().register(adminRoutes, { insecure: true })
    }, /balancers/)
  })
})
