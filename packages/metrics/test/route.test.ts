import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Counter, Gauge, Registry } from 'prom-client'
import { listenApp } from '../../../test/support/app.ts'
import { ask } from '../../../test/support/ask.ts'
import { startBackend } from '../../../test/support/backend.ts'
import metrics, { type MetricsOptions } from '../src/index.ts'
import { figuresIn } from './scrape.ts'

const text = 'text/plain; version=0.0.4; charset=utf-8'
const openMetrics = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
const requests = 'fastify_balancer_requests_total{balancer="default",outcome="ok",status="2xx"}'

/** A balancer in front of everything, with metrics. */
async function start(t: TestContext, options: MetricsOptions = {}, balancerOptions: BalancerOptions = {}) {
  const backend = await startBackend(t)
  const app: FastifyInstance = Fastify()
  await app.register(balancer, { backends: [backend.url], ...balancerOptions })
  await app.register(metrics, options)
  const { url } = await listenApp(t, app)
  return { app, url, backend }
}

test('GET and HEAD are answered here, and everything else is forwarded', async (t) => {
  const { url, backend } = await start(t)
  const { status, headers, body } = await ask(`${url}/metrics`)
  assert.deepEqual([status, headers['content-type'], headers['vary']], [200, text, 'accept'])
  assert.match(body, /^# HELP fastify_balancer_requests_total /)
  assert.match(body, /\n$/)
  const head = await ask(`${url}/metrics`, { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers['content-type'], head.body], [200, text, ''])
  assert.ok(Number(head.headers['content-length']) > 1000)
  assert.equal(backend.received.length, 0)
  for (const [method, path] of [
    ['POST', '/metrics'],
    ['GET', '/metrics/more'],
    ['GET', '/'],
  ] as const)
    assert.equal((await ask(url + path, { method })).body, 'backend')
  assert.equal(backend.received.length, 3)
})

test('a balancer for one host, or below a prefix, does not take it', async (t) => {
  const host = await start(t, {}, { constraints: { host: 'shop.test' } })
  assert.equal((await ask(`${host.url}/metrics`, { headers: { host: 'shop.test' } })).headers['content-type'], text)
  const prefix = await start(t, { path: '/api/metrics' }, { prefix: '/api' })
  assert.equal((await ask(`${prefix.url}/api/metrics`)).headers['content-type'], text)
  assert.equal((await ask(`${prefix.url}/api/metrics`, { method: 'HEAD' })).headers['content-type'], text)
  assert.equal((await ask(`${prefix.url}/metrics`)).status, 404)
})

test('where OpenMetrics would give two metrics one name, they are told in plain text', async (t) => {
  const registry = new Registry()
  new Gauge({ name: 'jobs', help: 'Now', registers: [registry] }).set(2)
  new Counter({ name: 'jobs_total', help: 'Ever', registers: [registry] }).inc(3)
  const { url } = await start(t, { registry })
  const { status, headers, body } = await ask(`${url}/metrics`, { headers: { accept: openMetrics } })
  assert.deepEqual([status, headers['content-type']], [200, text])
  const figures = figuresIn(body)
  assert.deepEqual([figures['jobs'], figures['jobs_total']], [2, 3])
})

test('whoever prefers OpenMetrics gets it, whole, and the next one text again', async (t) => {
  const registry = new Registry()
  registry.setDefaultLabels({ site: 'here' })
  const own = new Counter({ name: 'own_total', help: 'Own', registers: [registry] })
  own.inc(3)
  const { url } = await start(t, { registry })
  await ask(url)
  const asText = () => ask(`${url}/metrics`)
  const asOpen = (accept: string) => ask(`${url}/metrics`, { headers: { accept } })
  const before = figuresIn((await asText()).body)
  assert.equal(before['own_total{site="here"}'], 3)
  const labelled = requests.replace('}', ',site="here"}')
  assert.equal(before[labelled], 1)

  // What Prometheus 2 and 3 send.
  for (const accept of [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;q=0.4,*/*;q=0.2',
  ]) {
    const { headers, body } = await asOpen(accept)
    assert.equal(headers['content-type'], openMetrics)
    assert.match(body, /\n# EOF\n$/)
    assert.match(body, /^# TYPE fastify_balancer_requests counter$/m)
    assert.match(body, /^# TYPE fastify_balancer_request_duration_seconds histogram$/m)
    assert.equal(figuresIn(body)[labelled], 1)
    assert.equal(figuresIn(body)['own_total{site="here"}'], 3)
    assert.deepEqual(Object.keys(figuresIn(body)), Object.keys(before))
  }
  for (const accept of [
    '*/*',
    'text/plain',
    'application/openmetrics-text;q=0.4,text/plain;q=0.5',
    'text/html',
    'application/openmetrics-text;q=0',
  ])
    assert.equal((await asOpen(accept)).headers['content-type'], text, accept)
  assert.deepEqual(Object.keys(figuresIn((await asText()).body)), Object.keys(before))
})

test('a registry that writes OpenMetrics can be asked for text all the same', async (t) => {
  const registry = new Registry()
  ;(registry as unknown as Registry<typeof openMetrics>).setContentType(openMetrics)
  const { app, url } = await start(t, { registry })
  await ask(url)
  const open = await app.balancerMetrics.text('openmetrics')
  const plain = await app.balancerMetrics.text()
  assert.match(open, /^# TYPE fastify_balancer_requests counter$/m)
  assert.match(plain, /^# TYPE fastify_balancer_requests_total counter$/m)
  assert.deepEqual([figuresIn(open)[requests], figuresIn(plain)[requests]], [1, 1])
})

test('hooks of the route decide who may see it, also by HEAD', async (t) => {
  const onRequest: MetricsOptions['onRequest'] = async (request, reply) => {
    if (request.headers.authorization !== 'Bearer open sesame') await reply.code(401).send('who are you?')
  }
  for (const hooks of [onRequest, [async () => {}, onRequest]]) {
    const { url, backend } = await start(t, { onRequest: hooks })
    for (const method of ['GET', 'HEAD']) {
      assert.equal((await ask(`${url}/metrics`, { method })).status, 401)
      const headers = { authorization: 'Bearer open sesame' }
      assert.equal((await ask(`${url}/metrics`, { method, headers })).status, 200)
    }
    assert.equal((await ask(url)).body, 'backend')
    assert.equal(backend.received.length, 1)
  }
})

test('without a route, the text is there for one of your own', async (t) => {
  const { app, url } = await start(t, { route: false })
  assert.equal((await ask(`${url}/metrics`)).body, 'backend')
  assert.equal(figuresIn(await app.balancerMetrics.text())[requests], 1)
  assert.match(await app.balancerMetrics.text('openmetrics'), /# EOF\n$/)
})

test("the process's own figures, if wanted", async (t) => {
  const has = async (options: MetricsOptions) => {
    const { app } = await start(t, options)
    return /^process_resident_memory_bytes \d/m.test(await app.balancerMetrics.text())
  }
  assert.equal(await has({}), false)
  assert.equal(await has({ defaultMetrics: true }), true)
})

test('a label is quoted, whatever a backend is called', async (t) => {
  const { app } = await start(t, {}, { backends: [{ id: 'a"b\\c\nd', url: 'http://a.test' }] })
  const line = 'fastify_balancer_backend_up{balancer="default",backend="a\\"b\\\\c\\nd"} 1\n'
  assert.ok((await app.balancerMetrics.text()).includes(line))
  assert.ok((await app.balancerMetrics.text('openmetrics')).includes(line))
})
