import auth from '@fastify/auth'
import balancer from '@fastify-balancer/balancer-core'
import compress from '@fastify/compress'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import Fastify, { type FastifyRequest } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../support/ask.ts'
import { listenApp } from '../support/app.ts'
import { startBackend, startBackends } from '../support/backend.ts'
import { LogLines } from '../support/log-lines.ts'
import { until } from '../support/until.ts'

test('two balancers by prefix, beside routes of the app', async (t) => {
  const [one, two] = await startBackends(t, 'one', 'two')
  const log = new LogLines()
  const app = Fastify({ logger: log })
  app.get('/', async () => 'the app')
  await app.register(balancer, { name: 'one', prefix: '/one', backends: [one!.url] })
  await app.register(balancer, { name: 'two', prefix: '/two', backends: [two!.url], rewrite: { stripPrefix: true } })
  const { url } = await listenApp(t, app)
  assert.equal((await ask(url)).body, 'the app')
  assert.equal((await ask(`${url}/one/thing`)).body, 'one')
  assert.equal((await ask(`${url}/two/thing?x=1`, { method: 'POST', body: 'hello' })).body, 'two')
  assert.equal((await ask(`${url}/three`)).status, 404)
  assert.deepEqual(
    [one!, two!].map(({ received }) => received.map((request) => request.url)),
    [['/one/thing'], ['/thing?x=1']],
  )
  await until('both have been logged', () => log.exchanges.length === 2)
  assert.deepEqual(
    log.exchanges.map((line) => line.balancer),
    ['one', 'two'],
  )
})

test('two balancers by host, and one for every other', async (t) => {
  const [a, b, rest] = await startBackends(t, 'a', 'b', 'rest')
  const app = Fastify()
  await app.register(balancer, { name: 'a', constraints: { host: 'a.example' }, backends: [a!.url] })
  await app.register(balancer, { name: 'b', constraints: { host: /^b\d*\.example$/ }, backends: [b!.url] })
  await app.register(balancer, { name: 'rest', backends: [rest!.url] })
  const { url } = await listenApp(t, app)
  const answers: string[] = []
  for (const host of ['a.example', 'b.example', 'b7.example', 'c.example', 'a.example.evil'])
    for (const method of ['GET', 'POST']) answers.push((await ask(url, { method, headers: { host } })).body)
  assert.deepEqual(answers, ['a', 'a', 'b', 'b', 'b', 'b', 'rest', 'rest', 'rest', 'rest'])
})

test('two balancers by host under plugins of the app: the plugins hold for both', async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const app = Fastify()
  await app.register(helmet)
  await app.register(rateLimit, { max: 2 })
  await app.register(balancer, { name: 'a', constraints: { host: 'a.example' }, backends: [a!.url] })
  await app.register(balancer, { name: 'b', constraints: { host: 'b.example' }, backends: [b!.url] })
  const { url } = await listenApp(t, app)
  const statuses: number[] = []
  for (const host of ['a.example', 'b.example', 'a.example']) {
    const { status, headers } = await ask(url, { headers: { host } })
    assert.equal(headers['x-frame-options'], 'SAMEORIGIN')
    statuses.push(status)
  }
  assert.deepEqual(statuses, [200, 200, 429])
  assert.deepEqual([a!.received.length, b!.received.length], [1, 1])
})

test('scopes: what one has in front of its balancer says nothing about the other', async (t) => {
  const text = 'compressible '.repeat(500)
  const [open, guarded] = await Promise.all(
    ['open', 'guarded'].map((name) =>
      startBackend(
        t,
        (_request, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(text),
        name,
      ),
    ),
  )
  const app = Fastify()
  await app.register(
    async (scope) => {
      await scope.register(compress)
      await scope.register(cors, { origin: 'https://app.example' })
      await scope.register(balancer, { name: 'open', backends: [open!.url] })
    },
    { prefix: '/open' },
  )
  await app.register(
    async (scope) => {
      await scope.register(auth)
      const check = async (request: FastifyRequest) => {
        if (request.headers['x-key'] !== 'k') throw Object.assign(new Error('no key'), { statusCode: 403 })
      }
      scope.addHook('onRequest', scope.auth([check]))
      await scope.register(balancer, { name: 'guarded', backends: [guarded!.url] })
      scope.get('/cross', (_request, reply) => reply.forward({ balancer: 'open' }))
    },
    { prefix: '/guarded' },
  )
  const { url } = await listenApp(t, app)
  const headers = { 'accept-encoding': 'gzip' }
  const fromOpen = await ask(`${url}/open/thing`, { headers })
  assert.deepEqual(
    [fromOpen.status, fromOpen.headers['content-encoding'], fromOpen.headers['access-control-allow-origin']],
    [200, 'gzip', 'https://app.example'],
  )
  assert.equal((await ask(`${url}/guarded/thing`, { headers })).status, 403)
  assert.equal((await ask(`${url}/guarded/cross`, { headers })).status, 403)
  assert.deepEqual([open!.received.length, guarded!.received.length, guarded!.sockets.size], [1, 0, 0])

  const keyed = { ...headers, 'x-key': 'k' }
  const fromGuarded = await ask(`${url}/guarded/thing`, { headers: keyed })
  assert.deepEqual([fromGuarded.status, fromGuarded.body === text], [200, true])
  assert.deepEqual(
    [fromGuarded.headers['content-encoding'], fromGuarded.headers['access-control-allow-origin']],
    [undefined, undefined],
  )
  // The route decides what happens to a response, whoever's backend it comes from.
  const crossed = await ask(`${url}/guarded/cross`, { headers: keyed })
  assert.deepEqual([crossed.status, crossed.headers['content-encoding']], [200, undefined])
  assert.deepEqual([open!.received.length, guarded!.received.length], [2, 1])
})

test('a route names its balancer where there are several; without a name the default one is taken, or none', async (t) => {
  const [one, two] = await startBackends(t, 'one', 'two')
  const app = Fastify()
  await app.register(balancer, { name: 'one', route: false, backends: [one!.url] })
  await app.register(balancer, { name: 'two', route: false, backends: [two!.url] })
  app.get('/one', (_request, reply) => reply.forward({ balancer: 'one' }))
  app.get('/two', async (_request, reply) => reply.forward({ balancer: app.balancers.get('two')! }))
  app.get('/unnamed', (_request, reply) => reply.forward())
  app.get('/unknown', async (_request, reply) => reply.forward({ balancer: 'three' }))
  const { url } = await listenApp(t, app)
  assert.equal((await ask(`${url}/one`)).body, 'one')
  assert.equal((await ask(`${url}/two`)).body, 'two')
  for (const path of ['/unnamed', '/unknown']) {
    const { status, body } = await ask(url + path)
    assert.deepEqual([status, (JSON.parse(body) as { code: string }).code], [500, 'FST_BALANCER_UNKNOWN_BALANCER'])
  }
})
