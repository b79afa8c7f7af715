import balancer, { type FailureError } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../support/ask.ts'
import { listenApp } from '../support/app.ts'
import { startBackend, startRawBackend, unusedOrigin } from '../support/backend.ts'
import { startFront, ways } from '../support/front.ts'

/** An app whose error handler keeps what it gets and answers in its own words. */
function withHandler(app: FastifyInstance, got: FailureError[]): void {
  app.setErrorHandler((error: FailureError, _request, reply) => {
    got.push(error)
    return reply
      .code(error.statusCode ?? 500)
      .header('x-handled', 'yes')
      .send({ sorry: error.code })
  })
}

const causes: Record<string, { status: number; reason: string; backends: () => Promise<string[]> }> = {
  'no backend': { status: 503, reason: 'no-backend', backends: async () => [] },
  'a backend that refuses': {
    status: 502,
    reason: 'connect-refused',
    backends: async () => [await unusedOrigin()],
  },
}

for (const [what, { status, reason, backends }] of Object.entries(causes))
  for (const lane of ['raw', 'full'] as const)
    for (const route of [true, false])
      for (const method of ['GET', 'POST'])
        test(`${what}, ${method}: the app's error handler has the coded error and the last word, ${lane} lane, ${route ? ways[0] : ways[1]}`, async (t) => {
          const got: FailureError[] = []
          const app = Fastify()
          withHandler(app, got)
          await app.register(balancer, { backends: await backends(), lane, route })
          if (!route) app.route({ method: ['GET', 'POST'], url: '/*', handler: (_request, reply) => reply.forward() })
          const { url } = await listenApp(t, app)
          const answer = await ask(url, {
            method,
            ...(method === 'POST' && { body: '{}', headers: { 'content-type': 'application/json' } }),
          })
          const code = `FST_BALANCER_${reason.toUpperCase().replaceAll('-', '_')}`
          assert.deepEqual([answer.status, answer.headers['x-handled']], [status, 'yes'])
          assert.deepEqual(JSON.parse(answer.body), { sorry: code })
          assert.equal(answer.headers['retry-after'], status === 503 ? '1' : undefined)
          assert.equal(got.length, 1)
          assert.ok(got[0] instanceof Error)
          assert.deepEqual([got[0].code, got[0].reason, got[0].statusCode], [code, reason, status])
        })

test('without a handler of the app, the answer has the shape of Fastify and names no backend', async (t) => {
  const app = Fastify()
  const origin = await unusedOrigin()
  await app.register(balancer, { backends: [origin] })
  const { url } = await listenApp(t, app)
  const { status, headers, body } = await ask(url)
  assert.equal(status, 502)
  assert.equal(headers['content-type'], 'application/json; charset=utf-8')
  assert.deepEqual(JSON.parse(body), {
    statusCode: 502,
    code: 'FST_BALANCER_CONNECT_REFUSED',
    error: 'Bad Gateway',
    message: 'The backend could not be reached',
  })
  assert.ok(!JSON.stringify([headers, body]).includes(new URL(origin).port))
})

test('an error handler may look for an answer elsewhere', async (t) => {
  const spare = await startBackend(t, undefined, 'spare')
  const app = Fastify()
  app.setErrorHandler(async (error: FailureError, _request, reply) => {
    if (error.reason !== 'no-backend') throw error
    return reply
      .code(200)
      .type('text/plain')
      .send(await (await fetch(spare.url)).text())
  })
  await app.register(balancer, { backends: [] })
  const { url } = await listenApp(t, app)
  const { status, body } = await ask(url)
  assert.deepEqual([status, body], [200, 'spare'])
})

test('the handler of the scope that holds the balancer, or of the route, comes before that of the app', async (t) => {
  const app = Fastify()
  const got: Record<string, FailureError[]> = { app: [], scope: [], route: [] }
  withHandler(app, got.app!)
  await app.register(
    async (scope) => {
      withHandler(scope, got.scope!)
      await scope.register(balancer, { backends: [] })
      scope.get(
        '/own',
        { errorHandler: (error, _request, reply) => void (got.route!.push(error as FailureError), reply.send('own')) },
        (_request, reply) => reply.forward(),
      )
    },
    { prefix: '/inside' },
  )
  const { url } = await listenApp(t, app)
  await ask(`${url}/inside/other`)
  await ask(`${url}/inside/own`)
  assert.deepEqual([got.app!.length, got.scope!.length, got.route!.length], [0, 1, 1])
})

test('a handler that is set after the balancer has been registered, but before it loads, is asked', async (t) => {
  const app = Fastify()
  const got: FailureError[] = []
  void app.register(balancer, { backends: [] })
  withHandler(app, got)
  const { url } = await listenApp(t, app)
  assert.equal((await ask(url)).headers['x-handled'], 'yes')
  assert.equal(got.length, 1)
})

for (const lane of ['raw', 'full'] as const)
  test(`what breaks once it has begun is not turned into an answer of the app, ${lane} lane`, async (t) => {
    const got: FailureError[] = []
    let errors = 0
    const origin = await startRawBackend(t, (socket) =>
      socket.once('data', () => {
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\nbegun')
      }),
    )
    const app = Fastify()
    withHandler(app, got)
    app.addHook('onError', async () => void errors++)
    await app.register(balancer, { backends: [origin], lane })
    const { url } = await listenApp(t, app)
    const { whole, headers } = await ask(url)
    assert.deepEqual([whole, headers['x-handled']], [false, undefined])
    assert.deepEqual([got.length, errors], [0, 0])
  })

test("onError hooks see the balancer's failures once", async (t) => {
  const app = Fastify()
  const seen: unknown[] = []
  app.addHook('onError', async (_request, _reply, error) => void seen.push(error.code))
  await app.register(balancer, { backends: [] })
  const { url } = await listenApp(t, app)
  await ask(url)
  assert.deepEqual(seen, ['FST_BALANCER_NO_BACKEND'])
})

test("a backend's own errors are answers like any other: no handler of the app is asked", async (t) => {
  const got: FailureError[] = []
  const front = await startFront(t, {
    before: (app) => {
      withHandler(app, got)
      app.setNotFoundHandler(() => assert.fail('asked'))
    },
    listener: ({ url }, response) => response.writeHead(Number(url!.slice(1))).end(`the backend says ${url}`),
  })
  for (const status of [400, 401, 404, 500, 502, 503]) {
    const answer = await ask(`${front.url}/${status}`)
    assert.deepEqual([answer.status, answer.body], [status, `the backend says /${status}`])
  }
  assert.equal(got.length, 0)
})

test('what is not below the prefix is for the not-found handler of the app', async (t) => {
  const front = await startFront(t, {
    prefix: '/api',
    before: (app) => app.setNotFoundHandler((_request, reply) => reply.code(404).send('not here')),
  })
  for (const path of ['/', '/other', '/apis', '/ap']) assert.equal((await ask(front.url + path)).body, 'not here')
  front.assertUntouched()
  for (const path of ['/api', '/api/', '/api/thing', '/api?x=1'])
    assert.equal((await ask(front.url + path)).status, 200)
  assert.deepEqual(
    front.backend.received.map(({ url }) => url),
    ['/api', '/api/', '/api/thing', '/api?x=1'],
  )
})

test('a not-found handler that calls reply.forward(): what the app has not is asked of the backends', async (t) => {
  const front = await startFront(t, {
    before: (app) => {
      app.get('/own', async () => 'own')
      app.setNotFoundHandler((_request, reply) => reply.forward())
    },
    prefix: '/elsewhere',
  })
  assert.equal((await ask(`${front.url}/own`)).body, 'own')
  front.assertUntouched()
  assert.equal((await ask(`${front.url}/other`)).status, 200)
  assert.equal((await ask(`${front.url}/other`, { method: 'PATCH' })).status, 200)
  assert.deepEqual(
    front.backend.received.map(({ method, url }) => `${method} ${url}`),
    ['GET /other', 'PATCH /other'],
  )
})
