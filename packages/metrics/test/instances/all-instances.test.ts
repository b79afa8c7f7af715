import { MemoryStore } from '@fastify-balancer/fleet'
import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { Counter, Gauge, Registry } from 'prom-client'
import { startBackend } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import { promtool, withoutPromtool } from '../prometheus/promtool.ts'
import { counted, only, scrape } from '../scrape.ts'
import { startMember, startMembers, type Member } from './stage.ts'

test('whichever instance is asked tells of all: what each has is added up, what all have is told once', async (t) => {
  const held: ServerResponse[] = []
  const backend = await startBackend(t, (_request, response) => void held.push(response))
  const { members } = await startMembers(t, 3, {
    balancer: { backends: [{ id: 'one', url: backend.url, weight: 7, maxInFlight: 10 }] },
  })
  const asking = members.slice(0, 2).map(({ app }) => app.inject('/'))
  await until('two are there', () => held.length === 2)
  void members[1]!.app.balancer.drain('one', { deadline: 0 })
  await until('all know', () => members.every(({ app }) => app.balancer.backend('one').state === 'drain'))
  for (const { app } of members) {
    const figures = await scrape(app)
    const value = (name: string, labels = '') => figures[`fastify_balancer_${name}{balancer="default"${labels}}`]
    const ofOne = (name: string, labels = '') => value(`backend_${name}`, `,backend="one"${labels}`)
    assert.deepEqual([value('requests_in_flight'), ofOne('in_flight'), ofOne('limit')], [2, 2, 30])
    assert.deepEqual([ofOne('weight'), ofOne('max_in_flight'), ofOne('up')], [7, 10, 0])
    assert.deepEqual([ofOne('state', ',state="drain"'), ofOne('state', ',state="ready"')], [1, 0])
    assert.deepEqual([value('backends'), value('backends_available'), value('revision')], [1, 0, 1])
    assert.equal(value('queue_limit'), 3 * app.balancer.queue.max)
    assert.deepEqual(only(figures, 'fastify_balancer_instances'), {
      '{state="starting"}': 0,
      '{state="ready"}': 3,
      '{state="draining"}': 0,
    })
    assert.equal(figures['fastify_balancer_instances_missing'], 0)
    assert.deepEqual(
      new Set(Object.entries(only(figures, 'fastify_balancer_instance_revision'))),
      new Set(['1', '2', '3'].map((id) => [`{fleet_instance="${id}",balancer="default"}`, 1])),
    )
  }
  for (const response of held) response.end('well')
  await Promise.all(asking)
  const texts = await Promise.all(members.map(({ app }) => scrape(app)))
  for (const figures of texts) {
    assert.deepEqual(counted(figures, 'fastify_balancer_requests_total'), {
      '{balancer="default",outcome="ok",status="2xx"}': 2,
    })
    assert.equal(figures['fastify_balancer_backend_response_seconds_count{balancer="default",backend="one"}'], 2)
    assert.equal(
      figures['fastify_balancer_backend_response_seconds_bucket{balancer="default",backend="one",le="+Inf"}'],
      2,
    )
  }
})

test('how many instances there should be is told where one of them knows; while the server drains, all do', async (t) => {
  const { members } = await startMembers(t, 2)
  const [first, second] = members as [Member, Member]
  const told = async () => {
    const figures = await scrape(first.app)
    const of = (state: string) => figures[`fastify_balancer_instances{state="${state}"}`]
    return [of('ready'), of('draining'), figures['fastify_balancer_instances_wanted']]
  }
  assert.deepEqual(await told(), [2, 0, undefined])
  second.app.fleet!.tell('wanted', () => 3)
  await second.app.fleet!.announce()
  assert.deepEqual(await told(), [2, 0, 3])
  const state = channel('admin-routes:server-state')
  state.publish({ server: second.app.server, state: 'drain' })
  assert.deepEqual(await told(), [2, 0, 3], 'of another server')
  state.publish({ server: first.app.server, state: 'drain' })
  assert.deepEqual(await told(), [0, 2, 3])
  state.publish({ server: first.app.server, state: 'ready' })
  assert.deepEqual(await told(), [2, 0, 3])
})

test('the lines of two instances are those of one', async (t) => {
  const shared = new MemoryStore()
  const balancer = { backends: ['http://a.test', { id: 'b "\\', url: 'http://b.test' }] }
  const registry = () => {
    const labelled = new Registry()
    labelled.setDefaultLabels({ site: 'here', outcome: 'never' })
    return { registry: labelled }
  }
  const first = await startMember(t, '1', shared, { balancer, metrics: registry })
  const withoutValues = (text: string) =>
    text.replaceAll(/ [\d.]+(?=\n)/g, '').replaceAll(/^fastify_balancer_instance.*\n/gm, '')
  for (const form of ['prometheus', 'openmetrics'] as const) {
    const alone = withoutValues(await first.app.balancerMetrics.text(form))
    // What prom-client writes of one.
    if (form === 'prometheus') assert.equal(alone, withoutValues(await first.app.balancerMetrics.registry.metrics()))
    assert.match(alone, /backend="b \\"\\\\",site="here",outcome="never"/)
  }
  const before = withoutValues(await first.app.balancerMetrics.text())
  const second = await startMember(t, '2', shared, { balancer, metrics: registry })
  for (const { app } of [first, second]) assert.equal(withoutValues(await app.balancerMetrics.text()), before)
})

test('promtool finds no fault, and each line is there once', { skip: withoutPromtool }, async (t) => {
  const { members } = await startMembers(t, 2, {
    balancer: { backends: ['http://a.test'] },
    metrics: () => ({ defaultMetrics: true }),
  })
  const text = await members[0]!.app.balancerMetrics.text()
  const { output } = promtool(['check', 'metrics'], text)
  const own = promtool(['check', 'metrics'], await members[0]!.app.balancerMetrics.registry.metrics())
  assert.equal(output, own.output)
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  assert.equal(new Set(series.map((line) => line.slice(0, line.lastIndexOf(' ')))).size, series.length)
})

test('metrics of apps and processes have a line for each instance, and keep their exemplars', async (t) => {
  let number = 0
  const metrics = () => {
    const registry = new Registry()
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as typeof registry.contentType)
    const own = ++number
    const done = new Counter({
      name: 'done',
      help: 'Of the app',
      labelNames: ['kind', 'trace_id'],
      registers: [registry],
      enableExemplars: true,
    })
    done.inc({ labels: { kind: 'a' }, value: own, exemplarLabels: { trace_id: `t${own}` } })
    if (own === 2) new Gauge({ name: 'late', help: 'Of the second alone', registers: [registry] }).set(5)
    return { registry, defaultMetrics: true }
  }
  const { members } = await startMembers(t, 2, { metrics })
  for (const { app } of members) {
    const text = await app.balancerMetrics.text('openmetrics')
    for (const id of [1, 2])
      assert.match(
        text,
        new RegExp(`^done_total\\{kind="a",fleet_instance="${id}"\\} ${id} # \\{trace_id="t${id}"\\} `, 'm'),
      )
    assert.equal([...text.matchAll(/^process_cpu_seconds_total\{fleet_instance="[12]"\} /gm)].length, 2)
    assert.match(text, /^late\{fleet_instance="2"\} 5$/m)
    assert.equal([...text.matchAll(/^# TYPE done counter$/gm)].length, 1)
  }
})

test('an instance that does not answer within a second is told as missing; what it has saved counts', async (t) => {
  const { members } = await startMembers(t, 3)
  const [first, second, third] = members as [(typeof members)[0], (typeof members)[0], (typeof members)[0]]
  for (const { app } of members) await app.inject('/')
  const requests = async () => {
    const figures = await scrape(first.app)
    return [
      counted(figures, 'fastify_balancer_failed_requests_total')['{balancer="default"}'],
      figures['fastify_balancer_instances_missing'],
      figures['fastify_balancer_queue_limit{balancer="default"}']! / first.app.balancer.queue.max,
    ]
  }
  assert.deepEqual(await requests(), [3, 0, 3])
  await third.app.inject('/')
  await third.kill(false)
  assert.deepEqual(await requests(), [3, 1, 2])
  await second.app.close()
  assert.deepEqual(await requests(), [3, 1, 1])
})

test('a backend that has left the list has no lines, whatever ended instances have counted', async (t) => {
  const [one, two] = [await startBackend(t), await startBackend(t)]
  const balancer = { backends: [one, two].map(({ url }, at) => ({ id: `b${at}`, url })) }
  const { members, shared } = await startMembers(t, 2, { balancer })
  const [first, second] = members as [(typeof members)[0], (typeof members)[0]]
  for (let sent = 0; sent < 4; sent++) await second.app.inject('/')
  await second.app.close()
  const attempts = async (app = first.app) => counted(await scrape(app), 'fastify_balancer_attempts_total')
  assert.deepEqual(await attempts(), {
    '{balancer="default",backend="b0",outcome="ok"}': 2,
    '{balancer="default",backend="b1",outcome="ok"}': 2,
  })
  await first.app.balancer.remove('b0')
  assert.deepEqual(await attempts(), { '{balancer="default",backend="b1",outcome="ok"}': 2 })
  const third = await startMember(t, '3', shared, { balancer })
  assert.deepEqual(await attempts(third.app), { '{balancer="default",backend="b1",outcome="ok"}': 2 })
})

test('instances with other buckets are added up where bounds are the same', async (t) => {
  const shared = new MemoryStore()
  const first = await startMember(t, '1', shared, { metrics: () => ({ buckets: [1000, 2000] }) })
  const second = await startMember(t, '2', shared, { metrics: () => ({ buckets: [1500, 2000] }) })
  await first.app.inject('/')
  await second.app.inject('/')
  const buckets = only(await scrape(first.app), 'fastify_balancer_request_duration_seconds_bucket')
  assert.deepEqual(buckets, {
    '{balancer="default",le="1000"}': 1,
    '{balancer="default",le="2000"}': 2,
    '{balancer="default",le="+Inf"}': 2,
  })
})

test('where the store cannot be reached, a scrape fails: counters of one alone would look as if they had fallen', async (t) => {
  const { members } = await startMembers(t, 1)
  await members[0]!.kill()
  const { statusCode, headers, body } = await members[0]!.app.inject('/metrics')
  assert.deepEqual(
    [statusCode, headers['retry-after'], JSON.parse(body).code],
    [503, '1', 'FST_BALANCER_METRICS_STORE_UNREACHABLE'],
  )
})
