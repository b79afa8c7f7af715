import balancer from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { startBackend, startBackends, unusedOrigin } from '../../../test/support/backend.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import { until } from '../../../test/support/until.ts'
import metrics from '../src/index.ts'
import { only, scrape } from './scrape.ts'

/** Two backends that are never asked, and time that stands still. */
async function start(t: TestContext) {
  const clock = new ManualClock(1000)
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, {
    backends: [
      { id: 'a', url: 'http://a.test', weight: 4, maxInFlight: 7 },
      { id: 'b', url: 'http://b.test' },
    ],
    slowStart: 10_000,
    clock,
  })
  await app.register(metrics)
  await app.ready()
  /** The lines of a metric of backends: the id, further labels, the figure. */
  async function lines(name: string): Promise<string[]> {
    return Object.entries(only(await scrape(app), `fastify_balancer_${name}`)).map(([labels, value]) =>
      `${labels.replace('{balancer="default",backend="', '').replace('"', '').replace('}', '')} ${value}`.replaceAll(
        '"',
        '',
      ),
    )
  }
  return { app, clock, lines, set: app.balancer }
}

test('vetoes, by their owners, and what operators have ordered', async (t) => {
  const { lines, set } = await start(t)
  assert.deepEqual(await lines('backend_up'), ['a 1', 'b 1'])
  assert.deepEqual(await lines('backend_vetoes'), [])
  const vetoes = ['health-check', 'me', 'me'].map((by) => set.veto(set.backend('a'), { by, reason: 'so' }))
  assert.deepEqual(await lines('backend_up'), ['a 0', 'b 1'])
  assert.deepEqual(await lines('backend_vetoes'), ['a,by=health-check 1', 'a,by=me 2'])
  for (const veto of vetoes) veto.lift()
  assert.deepEqual(await lines('backend_vetoes'), [])
  await set.maintain('b')
  assert.deepEqual(await lines('backend_state'), [
    'a,state=ready 1',
    'a,state=drain 0',
    'a,state=maintenance 0',
    'b,state=ready 0',
    'b,state=drain 0',
    'b,state=maintenance 1',
  ])
  assert.deepEqual(await lines('backend_up'), ['a 1', 'b 0'])
})

test('weights, also while a backend starts slowly, and its limit', async (t) => {
  const { lines, set, clock } = await start(t)
  set.warmUp(set.backend('a'))
  assert.deepEqual(await lines('backend_weight'), ['a 4', 'b 1'])
  assert.deepEqual(await lines('backend_effective_weight'), ['a 0.4', 'b 1'])
  clock.advance(5000)
  assert.deepEqual(await lines('backend_effective_weight'), ['a 2', 'b 1'])
  assert.deepEqual(await lines('backend_max_in_flight'), ['a 7', 'b 1024'])
  set.limit(set.backend('b'), 20.5)
  assert.deepEqual(await lines('backend_max_in_flight'), ['a 7', 'b 1024'])
  assert.deepEqual(await lines('backend_limit'), ['a 7', 'b 20'])
})

test('panic, and the revision of the set', async (t) => {
  const { app, set } = await start(t)
  const figure = async (name: string) => (await scrape(app))[`fastify_balancer_${name}{balancer="default"}`]
  assert.equal(await figure('panic'), 0)
  for (const backend of set.backends) set.veto(backend, { by: 'me', reason: 'so' })
  assert.equal(await figure('panic'), 1)
  const { revision } = set.set
  assert.equal(await figure('revision'), revision)
  await set.add('http://c.test')
  assert.equal(await figure('revision'), revision + 1)
})

test('how many backends there are, how many are healthy, and how many may be picked', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  const backends = ['http://a.test', 'http://b.test', 'http://c.test', { url: 'http://d.test', priority: 1 }]
  await app.register(balancer, { backends, queue: { max: 7 } })
  await app.register(metrics)
  await app.ready()
  const seen = async () => {
    const figures = await scrape(app)
    return ['backends', 'backends_available', 'backends_eligible', 'panic', 'queue_limit'].map(
      (name) => figures[`fastify_balancer_${name}{balancer="default"}`],
    )
  }
  const set = app.balancer
  assert.deepEqual(await seen(), [4, 4, 3, 0, 7])
  set.veto(set.backends[0]!, { by: 'me', reason: 'so' })
  await set.maintain('http://b.test')
  assert.deepEqual(await seen(), [4, 2, 1, 0, 7])
  for (const backend of set.backends) set.veto(backend, { by: 'me', reason: 'so' })
  assert.deepEqual(await seen(), [4, 0, 2, 1, 7])
})

test('a backend that leaves the set takes all its lines along, and begins anew if it comes back', async (t) => {
  const [one, two] = await startBackends(t, 'one', 'two')
  const { app, set } = await start(t)
  const mentions = async () => Object.keys(await scrape(app)).filter((line) => line.includes('backend="one"')).length
  await set.setBackends([
    { id: 'one', url: one!.url },
    { id: 'two', url: two!.url },
  ])
  for (let count = 0; count < 4; count++) assert.equal((await app.inject('/')).statusCode, 200)
  const answered = async () => only(await scrape(app), 'fastify_balancer_backend_response_seconds_count')
  assert.deepEqual(Object.values(await answered()), [2, 2])
  assert.ok((await mentions()) > 25)
  await set.remove('one')
  assert.equal(await mentions(), 0)
  await set.add({ id: 'one', url: one!.url })
  assert.deepEqual(await answered(), {
    '{balancer="default",backend="two"}': 2,
    '{balancer="default",backend="one"}': 0,
  })
})

test('times are those of the clock: until the headers, and until all is done', async (t) => {
  const clock = new ManualClock(1000)
  const held: ServerResponse[] = []
  const slow = await startBackend(t, (_request, response) => void held.push(response))
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { backends: [{ id: 'slow', url: slow.url }], clock })
  await app.register(metrics, { buckets: [0.2, 0.25, 0.5] })
  await app.ready()
  const answer = app.inject('/')
  await until('it has been asked', () => held.length === 1)
  clock.advance(250)
  held[0]!.write('begin')
  await until('the headers have arrived', () => app.balancer.backend('slow').bytesReceived > 0)
  // Not only once it has ended: a stream may go on for hours.
  const during = await scrape(app)
  const ofBackend = 'fastify_balancer_backend_response_seconds'
  assert.deepEqual(Object.values(only(during, `${ofBackend}_bucket`)), [0, 1, 1, 1])
  assert.equal(during[`${ofBackend}_sum{balancer="default",backend="slow"}`], 0.25)
  const ofBalancer = 'fastify_balancer_request_duration_seconds'
  assert.equal(during[`${ofBalancer}_count{balancer="default"}`], 0)
  clock.advance(200)
  held[0]!.end('end')
  assert.equal((await answer).body, 'beginend')
  await until('it has ended', () => app.balancer.exchanges === 0)
  const after = await scrape(app)
  assert.deepEqual(Object.values(only(after, `${ofBalancer}_bucket`)), [0, 0, 1, 1])
  assert.equal(after[`${ofBalancer}_sum{balancer="default"}`], 0.45)
  assert.equal(after[`${ofBackend}_sum{balancer="default",backend="slow"}`], 0.25)
})

test('circuits and probes, where these packages are there', async (t) => {
  const [well] = await startBackends(t, 'well')
  const app = Fastify()
  t.after(() => app.close())
  const backends = [
    { id: 'well', url: well!.url },
    { id: 'dead', url: await unusedOrigin() },
  ]
  await app.register(balancer, { name: 'checked', backends, route: false })
  await app.register(balancer, { name: 'plain', backends, prefix: '/plain' })
  await app.register(metrics)
  // After it: what is there is looked for whenever somebody asks.
  await app.register(healthCheck, { balancer: 'checked' })
  await app.register(circuitBreaker, { balancer: 'checked' })
  await app.ready()
  app.circuitBreakers.get('checked')!.isolate('dead', { reason: 'so' })
  const figures = await scrape(app)
  assert.deepEqual(only(figures, 'fastify_balancer_probe_good'), {
    '{balancer="checked",backend="well"}': 1,
    '{balancer="checked",backend="dead"}': 0,
  })
  const { took } = app.healthChecks.get('checked')!.of('well').active!.lastProbe!.timings
  assert.equal(figures['fastify_balancer_probe_duration_seconds{balancer="checked",backend="well"}'], took / 1000)
  const circuits = Object.entries(only(figures, 'fastify_balancer_backend_circuit'))
  assert.equal(circuits.length, 2 * 4)
  assert.deepEqual(
    circuits.flatMap(([labels, value]) => (value === 1 ? [labels] : [])),
    ['{balancer="checked",backend="well",state="closed"}', '{balancer="checked",backend="dead",state="isolated"}'],
  )
  assert.deepEqual(only(figures, 'fastify_balancer_backend_vetoes'), {
    '{balancer="checked",backend="dead",by="health-check"}': 1,
    '{balancer="checked",backend="dead",by="circuit-breaker"}': 1,
  })
})

test('those that wait, by their class of priority', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  const priority = { classes: ['high', 'low'], default: 'low', header: 'x-priority' }
  await app.register(balancer, { queue: { priority }, backends: ['http://a.test'] })
  await app.register(balancer, { name: 'plain', prefix: '/plain', backends: ['http://a.test'] })
  await app.register(metrics)
  await app.ready()
  const waiter = { turnAway() {} } as unknown as Parameters<typeof app.balancer.queue.enter>[0]
  app.balancer.queue.enter(waiter, 'high')
  assert.deepEqual(only(await scrape(app), 'fastify_balancer_queue_class_depth'), {
    '{balancer="default",class="high"}': 1,
    '{balancer="default",class="low"}': 0,
  })
  app.balancer.queue.leave(waiter)
})
