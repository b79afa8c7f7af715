import { adminRoutes } from '@fastify-balancer/admin-routes'
import balancer, { sharedBalancers, type BalancerOptions } from '@fastify-balancer/balancer-core'
import { circuitBreaker } from '@fastify-balancer/circuit-breaker'
import { metrics } from '@fastify-balancer/metrics'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend, startBackends } from '../support/backend.ts'
import { until } from '../support/until.ts'

/** An app that has the balancer, not listening yet. */
async function owner(t: TestContext, options: BalancerOptions): Promise<FastifyInstance> {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, options)
  return app
}

test('two apps share one balancer: turns, counts, and a trustProxy for each', async (t) => {
  const backends = await startBackends(t, 'first', 'second')
  const one = await owner(t, { backends: backends.map(({ url }) => url) })
  const two = Fastify({ trustProxy: true })
  await two.register(sharedBalancers, { of: one })
  const urls = [(await listenApp(t, one)).url, (await listenApp(t, two)).url]
  const headers = { 'x-forwarded-for': '192.0.2.7' }
  const bodies = []
  for (let turn = 0; turn < 4; turn++) bodies.push((await ask(urls[turn % 2]!, { headers })).body)

  assert.deepEqual(bodies, ['first', 'second', 'first', 'second'])
  assert.deepEqual(
    one.balancer.backends.map(({ requests }) => requests),
    [2, 2],
  )
  assert.equal(two.balancer, one.balancer)
  assert.equal(backends[0]!.received[0]!.headers['x-forwarded-for'], '127.0.0.1')
  assert.equal(backends[1]!.received[0]!.headers['x-forwarded-for'], '192.0.2.7, 127.0.0.1')
})

test('it has the routes of each balancer, and reply.forward()', async (t) => {
  const [web, api] = await startBackends(t, 'web', 'api')
  const one = await owner(t, { name: 'web', backends: [web!.url] })
  await one.register(balancer, { name: 'api', prefix: '/api', backends: [api!.url] })
  const two = Fastify()
  await two.register(sharedBalancers, { of: one })
  two.get('/own', (_request, reply) => reply.forward({ balancer: 'api' }))
  const { url } = await listenApp(t, two)

  assert.equal((await ask(`${url}/anything`)).body, 'web')
  assert.equal((await ask(`${url}/api`)).body, 'api')
  assert.equal((await ask(`${url}/own`)).body, 'api')
})

test('an app without routes sees everything: figures, the past, circuits, events, and takes all of it out of use', async (t) => {
  const one = await owner(t, { backends: [await startBackend(t).then(({ url }) => url)] })
  await one.register(circuitBreaker, {})
  const admin = Fastify()
  await admin.register(sharedBalancers, { of: one, routes: false })
  await admin.register(adminRoutes, { insecure: true })
  await admin.register(metrics, {})
  const { url } = await listenApp(t, one)
  const { url: adminUrl } = await listenApp(t, admin)
  const events = await fetch(`${adminUrl}/_balancer/events`)
  const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader()
  t.after(() => reader.cancel())

  assert.equal((await ask(url)).status, 200)
  assert.equal((await ask(`${adminUrl}/anything`)).status, 404)
  assert.match((await ask(`${adminUrl}/metrics`)).body, /fastify_balancer_requests_total\{[^}]*\} 1\n/)
  const past = JSON.parse((await ask(`${adminUrl}/_balancer/balancers/default/history?range=5m`)).body)
  assert.equal(
    past.totals.requests.reduce((sum: number, count: number | null) => sum + (count ?? 0), 0),
    1,
  )
  one.circuitBreaker.isolate(one.balancer.backends[0]!.id)
  let told = ''
  while (!told.includes('event: circuit')) told += (await reader.read()).value
  assert.match(told, /isolated/)
  const drained = await ask(`${adminUrl}/_balancer/server/state`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"state":"drain","grace":0}',
  })
  assert.equal(drained.status, 200)
  assert.equal((await fetch(url)).headers.get('connection'), 'close')
})

test('closing one of them lets what both have in flight finish', async (t) => {
  const waiting: ServerResponse[] = []
  const backend = await startBackend(t, (_request, response) => void waiting.push(response))
  const one = await owner(t, { backends: [backend.url] })
  const two = Fastify({ forceCloseConnections: true })
  await two.register(sharedBalancers, { of: one })
  const urls = [(await listenApp(t, one)).url, (await listenApp(t, two)).url]
  const answers = urls.map((url) => ask(url))
  await until('both are under way', () => waiting.length === 2)
  const closed = [two.close(), one.close()]
  await until('it closes', () => one.balancer.closing)
  for (const response of waiting) response.end('whole')

  assert.deepEqual(
    (await Promise.all(answers)).map(({ body }) => body),
    ['whole', 'whole'],
  )
  await Promise.all(closed)
})

test('where there is nothing to share, or something already, it says so at boot', async (t) => {
  const one = await owner(t, { backends: [] })
  const bare = Fastify()
  await assert.rejects(async () => bare.register(sharedBalancers, { of: Fastify() }), /that app has no balancer yet/)
  const other = await owner(t, { backends: [] })
  await assert.rejects(async () => other.register(sharedBalancers, { of: one }), /this app has balancers already/)
})
