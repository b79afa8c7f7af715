import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { test, type TestContext } from 'node:test'
import { Gauge, Registry } from 'prom-client'
import { startBackends } from '../../../test/support/backend.ts'
import metrics, { faultsOfOptions, metrics as named, type MetricsOptions } from '../src/index.ts'
import { counted, scrape } from './scrape.ts'

function appOf(t: TestContext): FastifyInstance {
  const app = Fastify()
  t.after(() => app.close())
  return app
}

test('is the default export and a named one', () => {
  assert.equal(metrics, named)
})

test('without the core, the app does not start, and it is said what is missing', async (t) => {
  const app = appOf(t)
  await assert.rejects(async () => app.register(metrics), /decorator 'balancers'.*@fastify-balancer\/metrics/)
})

test('every fault of the options is named at once', async (t) => {
  const app = appOf(t)
  await app.register(balancer, { backends: [] })
  const bad = { path: 'metrics', route: 'yes', buckets: [0], misspelt: 1 } as unknown as MetricsOptions
  await assert.rejects(
    async () => app.register(metrics, bad),
    (error: Error & { code: string }) => {
      assert.equal(error.code, 'FST_BALANCER_METRICS_BAD_OPTIONS')
      for (const place of ['path: ', 'route: ', 'buckets.0: ', 'misspelt: '])
        assert.ok(error.message.includes(place), place)
      return true
    },
  )
  assert.deepEqual(faultsOfOptions({ buckets: [1, 1], onRequest: 'no' as never, registry: {} as never }), [
    'onRequest: expected a function, or an array of functions, got a string',
    'registry: expected a Registry of prom-client, got an object',
    'buckets: must be in ascending order, not 1, 1',
  ])
  assert.deepEqual(faultsOfOptions({ registry: new Registry(), onRequest: [async () => {}], buckets: [1, 2] }), [])
  assert.deepEqual(faultsOfOptions({ registry: null as never }), [
    'registry: expected a Registry of prom-client, got null',
  ])
})

test('balancers that are registered after it are counted like those before', async (t) => {
  const [one] = await startBackends(t, 'one')
  const app = appOf(t)
  await app.register(balancer, { name: 'early', prefix: '/early', backends: [one!.url] })
  await app.register(metrics)
  await app.register(async (scope) => {
    await scope.register(balancer, { name: 'late', prefix: '/late', backends: [one!.url] })
  })
  for (const path of ['/early', '/late', '/late/more']) assert.equal((await app.inject(path)).statusCode, 200)
  const figures = await scrape(app)
  assert.deepEqual(counted(figures, 'fastify_balancer_requests_total'), {
    '{balancer="early",outcome="ok",status="2xx"}': 1,
    '{balancer="late",outcome="ok",status="2xx"}': 2,
  })
  const responses = counted(figures, 'fastify_balancer_responses_total')
  assert.deepEqual(Object.values(responses), [1, 2])
})

test('two servers in one process, with balancers of the same name, are told apart', async (t) => {
  const [one] = await startBackends(t, 'one')
  const apps = [appOf(t), appOf(t)]
  for (const app of apps) {
    await app.register(balancer, { backends: [one!.url] })
    await app.register(metrics)
    await app.ready()
  }
  await apps[0]!.inject('/')
  await apps[1]!.inject('/')
  await apps[1]!.inject('/')
  const counts = await Promise.all(
    apps.map(async (app) => Object.values(counted(await scrape(app), 'fastify_balancer_requests_total'))),
  )
  assert.deepEqual(counts, [[1], [2]])
})

test('a registry is as it was once the app is closed, and the next one can use it', async () => {
  for (const contentType of [Registry.PROMETHEUS_CONTENT_TYPE, Registry.OPENMETRICS_CONTENT_TYPE]) {
    const registry = new Registry()
    // Its type knows of one kind only.
    registry.setContentType(contentType as typeof registry.contentType)
    const own = new Gauge({ name: 'own', help: 'of the app', registers: [registry] })
    for (let round = 0; round < 2; round++) {
      const app = Fastify()
      await app.register(balancer, { backends: [] })
      await app.register(metrics, { registry, defaultMetrics: true })
      await app.ready()
      assert.match(await registry.metrics(), /fastify_balancer_/)
      await app.close()
      assert.deepEqual(registry.getMetricsAsArray(), [own])
    }
  }
})

test('two servers cannot share a registry, which would mix up their figures', async (t) => {
  const registry = new Registry()
  const [first, second] = [appOf(t), appOf(t)]
  for (const app of [first, second]) await app.register(balancer, { backends: [] })
  await first.register(metrics, { registry })
  await assert.rejects(async () => second.register(metrics, { registry }), /already been registered/)
})

test('once the app is closed, nobody listens any more', async () => {
  const exchangeEnd = channel('balancer-core:exchange:end')
  const app = Fastify()
  await app.register(balancer, { backends: [] })
  await app.register(metrics)
  await app.ready()
  assert.equal(exchangeEnd.hasSubscribers, true)
  await app.close()
  assert.equal(exchangeEnd.hasSubscribers, false)
})
