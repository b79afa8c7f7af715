import Fastify from 'fastify'
import balancer, { type Clock } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { until } from '../../../../test/support/until.ts'
import { reportLoad } from '../../src/backend.ts'
import policiesPlugin from '../../src/index.ts'
import { parseReport } from '../../src/load-reports/parse-report.ts'

const wanted = { headers: { 'endpoint-load-metrics-format': 'text' } }

/** A backend with the plugin: `/held` waits for `release`. */
async function reporting(t: TestContext) {
  const app = Fastify()
  await app.register(reportLoad)
  const waiting: (() => void)[] = []
  const release = () => waiting.splice(0).forEach((one) => one())
  // Else the app would wait for them when it closes.
  t.after(release)
  app.get('/', async () => 'hello')
  app.get('/held', () => new Promise((resolve) => waiting.push(() => resolve('held'))))
  app.get('/error', async () => {
    throw new Error('broken')
  })
  const { url } = await listenApp(t, app)
  return { url, waiting, release }
}

/** A balancer in front, which uses reports or does not. */
async function front(t: TestContext, backends: string[], reports = true, clock?: Clock) {
  const app = Fastify()
  await app.register(policiesPlugin)
  await app.register(balancer, { backends, policy: { name: 'peak-ewma', reports }, ...(clock && { clock }) })
  return listenApp(t, app)
}

test('each response tells the load if the request asks for it, also errors', async (t) => {
  const { url } = await reporting(t)
  for (const [path, status] of [
    ['/', 200],
    ['/error', 500],
    ['/nowhere', 404],
  ] as const) {
    const answer = await ask(`${url}${path}`, wanted)
    assert.equal(answer.status, status)
    const report = parseReport(String(answer.headers['endpoint-load-metrics']))
    assert.equal(report?.inFlight, 1)
    assert.ok(report.latency! > 0)
  }
  assert.equal((await ask(url)).headers['endpoint-load-metrics'], undefined)
  const json = await ask(url, { headers: { 'endpoint-load-metrics-format': 'json' } })
  assert.equal(parseReport(String(json.headers['endpoint-load-metrics']))?.inFlight, 1)
})

test('requests in flight are counted until their connection or response ends', async (t) => {
  const { url, waiting, release } = await reporting(t)
  const inFlight = async () => parseReport(String((await ask(url, wanted)).headers['endpoint-load-metrics']))!.inFlight
  const untilInFlight = async (count: number) => {
    for (let looks = 0; (await inFlight()) !== count; looks++) assert.ok(looks < 10_000)
  }
  const leaving = new AbortController()
  const held = ask(`${url}/held`)
  const left = ask(`${url}/held`, { signal: leaving.signal })
  await until('both are held', () => waiting.length === 2)
  assert.equal(await inFlight(), 3)
  leaving.abort()
  await left
  await untilInFlight(2)
  release()
  assert.equal((await held).body, 'held')
  await untilInFlight(1)
})

test('a balancer asks for reports, uses them, and keeps them from clients', async (t) => {
  const { url: backend, waiting, release } = await reporting(t)
  const { url, app } = await front(t, [backend])
  // Another balancer's request.
  const other = ask(`${backend}/held`)
  await until('it is held', () => waiting.length === 1)
  const answer = await ask(url, { headers: { 'endpoint-load-metrics-format': 'json' } })
  assert.equal(answer.body, 'hello')
  assert.equal(answer.headers['endpoint-load-metrics'], undefined)
  assert.equal(app.balancer.explain().backends[0]!.details!['load'], 1)
  release()
  await other
})

test('without reports nothing is asked for, and what a backend sends passes', async (t) => {
  const backend = await startBackend(t, (_request, response) => {
    response.setHeader('endpoint-load-metrics', 'TEXT cpu_utilization=0.5')
    response.end('x')
  })
  const { url } = await front(t, [backend.url], false)
  const answer = await ask(url)
  assert.equal(answer.headers['endpoint-load-metrics'], 'TEXT cpu_utilization=0.5')
  assert.equal(backend.received[0]!.headers['endpoint-load-metrics-format'], undefined)
})

test('what is no report is neither believed nor passed on', async (t) => {
  const headers = [
    'JSON {',
    'TEXT named_metrics.requests_in_flight=-5',
    ['TEXT cpu_utilization=1', 'x'],
    'x'.repeat(8000),
  ]
  const backend = await startBackend(t, (_request, response) => {
    response.setHeader('endpoint-load-metrics', headers[backend.received.length - 1]!)
    response.end('x')
  })
  const { url, app } = await front(t, [backend.url])
  for (const _ of headers) {
    const answer = await ask(url)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['endpoint-load-metrics'], undefined)
    assert.equal(app.balancer.explain().backends[0]!.details!['load'], 0)
  }
})

test('two balancers over one set: the one that is idle sees what the other has sent', async (t) => {
  const [busy, idle] = [await reporting(t), await reporting(t)]
  // Reports count for a second, however slow this machine is.
  const first = await front(t, [busy.url, idle.url], true, new ManualClock())
  const held = Array.from({ length: 5 }, () => ask(`${busy.url}/held`))
  await until('all are held', () => busy.waiting.length === 5)
  // The second request goes to the one that has answered nothing yet.
  await ask(first.url)
  await ask(first.url)
  const loads = first.app.balancer.explain().backends.map(({ details }) => details!['load'])
  assert.deepEqual(loads, [5, 0])
  assert.equal(first.app.balancer.explain().picked, first.app.balancer.backends[1]!.id)
  busy.release()
  await Promise.all(held)
})
