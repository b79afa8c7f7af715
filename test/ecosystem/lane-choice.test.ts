import balancer from '@fastify-balancer/balancer-core'
import compress from '@fastify/compress'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import etag from '@fastify/etag'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../support/ask.ts'
import { listenApp } from '../support/app.ts'
import { startBackend } from '../support/backend.ts'
import { startFront, ways } from '../support/front.ts'

/** What can be seen of the lane from outside: only the raw one takes the response out of Fastify's hands. */
function lanesOf(app: FastifyInstance): string[] {
  const lanes: string[] = []
  app.addHook('onRequest', async (_request, reply) => {
    const hijack = reply.hijack.bind(reply)
    let lane = 'full'
    reply.hijack = () => {
      lane = 'raw'
      return hijack()
    }
    reply.raw.on('close', () => lanes.push(lane))
  })
  return lanes
}

const setups: Record<string, { lane: 'raw' | 'full'; before: (app: FastifyInstance) => unknown }> = {
  'nothing at all': { lane: 'raw', before: () => {} },
  '@fastify/cors': { lane: 'raw', before: (app) => app.register(cors, { origin: true }) },
  '@fastify/helmet': { lane: 'raw', before: (app) => app.register(helmet) },
  '@fastify/rate-limit': { lane: 'raw', before: (app) => app.register(rateLimit) },
  'hooks of every other kind': {
    lane: 'raw',
    before: (app) => {
      app.addHook('onRequest', async () => {})
      app.addHook('preParsing', async (_request, _reply, payload) => payload)
      app.addHook('preValidation', async () => {})
      app.addHook('preHandler', async () => {})
      app.addHook('preSerialization', async (_request, _reply, payload) => payload)
      app.addHook('onError', async () => {})
      app.addHook('onResponse', async () => {})
      app.addHook('onTimeout', async () => {})
      app.addHook('onRequestAbort', async (_request) => {})
    },
  },
  '@fastify/compress': { lane: 'full', before: (app) => app.register(compress) },
  '@fastify/compress that only takes requests apart': {
    lane: 'raw',
    before: (app) => app.register(compress, { globalCompression: false }),
  },
  '@fastify/etag': { lane: 'full', before: (app) => app.register(etag) },
  '@fastify/cookie': { lane: 'full', before: (app) => app.register(cookie) },
  'an onSend hook of the app': {
    lane: 'full',
    before: (app) => app.addHook('onSend', async (_request, _reply, payload) => payload),
  },
  'an onSend hook of a scope beside it': {
    lane: 'raw',
    before: (app) =>
      app.register(async (scope) => {
        scope.addHook('onSend', async (_request, _reply, payload) => payload)
      }),
  },
}

// This is what `lane: 'auto'` rests on, for this version of Fastify: see choose-lane.ts.
for (const way of ways)
  for (const [what, { lane, before }] of Object.entries(setups))
    test(`lane 'auto' with ${what} is the ${lane} one, ${way}`, async (t) => {
      let lanes: string[] = []
      const front = await startFront(t, {
        way,
        prefix: '/api',
        before: async (app) => {
          await before(app)
          lanes = lanesOf(app)
        },
      })
      const answers = [
        await ask(`${front.url}/api/thing`),
        await ask(`${front.url}/api/thing`, { method: 'POST', body: 'hello' }),
        await ask(`${front.url}/api/thing`, { method: 'DELETE' }),
      ]
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 200],
      )
      assert.deepEqual(lanes, [lane, lane, lane])
    })

for (const lane of ['raw', 'full'] as const)
  test(`lane '${lane}' is taken whatever hooks there are`, async (t) => {
    for (const what of ['nothing at all', 'an onSend hook of the app']) {
      let lanes: string[] = []
      const front = await startFront(t, {
        before: async (app) => {
          await setups[what]!.before(app)
          lanes = lanesOf(app)
        },
        balancer: { lane },
      })
      assert.equal((await ask(front.url)).status, 200)
      assert.deepEqual(lanes, [lane])
    }
  })

test('each route of the same app has a lane of its own', async (t) => {
  let lanes: string[] = []
  const onSend = async (_request: unknown, _reply: unknown, payload: unknown) => payload
  const front = await startFront(t, {
    before: async (app) => {
      lanes = lanesOf(app)
      const config = { shared: true }
      app.get('/plain', { config }, (_request, reply) => reply.forward())
      app.get('/changed', { config, onSend }, (_request, reply) => reply.forward())
    },
  })
  for (const path of ['/plain', '/changed', '/', '/changed', '/plain']) await ask(front.url + path)
  assert.deepEqual(lanes, ['raw', 'full', 'raw', 'full', 'raw'])
})

test('an onSend hook that a plugin adds to the routes of one method only applies to that method, whoever asks first', async (t) => {
  for (const order of [
    ['POST', 'GET', 'POST'],
    ['GET', 'POST', 'GET'],
  ]) {
    let lanes: string[] = []
    const front = await startFront(t, {
      before: (app) => {
        lanes = lanesOf(app)
        app.addHook('onRoute', (route) => {
          if ([route.method].flat().includes('GET'))
            route.onSend = async (_request: unknown, reply: FastifyReply) => void reply.header('x-sent', 'yes')
        })
      },
    })
    for (const method of order) {
      const { headers } = await ask(front.url, { method })
      assert.equal(headers['x-sent'], method === 'GET' ? 'yes' : undefined)
    }
    assert.deepEqual(
      lanes,
      order.map((method) => (method === 'GET' ? 'full' : 'raw')),
    )
  }
})

test('the not-found handlers of two scopes have a lane each, too', async (t) => {
  const backend = await startBackend(t)
  const app = Fastify()
  const lanes = lanesOf(app)
  await app.register(balancer, { backends: [backend.url], route: false })
  app.setNotFoundHandler((_request, reply) => reply.forward())
  await app.register(
    async (scope) => {
      scope.addHook('onSend', async (_request, _reply, payload) => payload)
      scope.setNotFoundHandler((_request, reply) => reply.forward())
    },
    { prefix: '/inside' },
  )
  const { url } = await listenApp(t, app)
  for (const path of ['/other', '/inside/other', '/other']) assert.equal((await ask(url + path)).body, 'backend')
  assert.deepEqual(lanes, ['raw', 'full', 'raw'])
})

for (const loaded of [false, true])
  test(`an onSend hook that is added after the balancer, ${loaded ? 'once it has' : 'before it has'} loaded, counts`, async (t) => {
    const backend = await startBackend(t)
    const app = Fastify()
    const lanes = lanesOf(app)
    const registered = app.register(balancer, { backends: [backend.url] })
    if (loaded) await registered
    app.addHook('onSend', async (_request, reply) => void reply.header('x-sent', 'yes'))
    const { url } = await listenApp(t, app)
    assert.equal((await ask(url)).headers['x-sent'], 'yes')
    assert.deepEqual(lanes, ['full'])
  })
