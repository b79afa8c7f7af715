import balancer, { sharedBalancers } from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBackend, startBackends } from '../../../test/support/backend.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import { until } from '../../../test/support/until.ts'
import metrics from '../src/index.ts'
import { scrape } from './scrape.ts'

test('probes, ejections, and how often a circuit has opened: trials that fail do not count', async (t) => {
  let status = 503
  const shaky = await startBackend(
    t,
    ({ method }, response) => void response.writeHead(method === 'HEAD' ? 200 : status).end(),
  )
  const [well] = await startBackends(t, 'well')
  const clock = new ManualClock(1000)
  const app = Fastify()
  t.after(() => app.close())
  const backends = [
    { id: 'shaky', url: shaky.url },
    { id: 'well', url: well!.url, priority: 1 },
  ]
  const outliers = { consecutive: { unreached: 2 } }
  for (const name of ['ejected', 'opened']) {
    const retry = { attempts: 0 }
    await app.register(balancer, { name, prefix: `/${name}`, backends, retry, ...(name === 'opened' && { clock }) })
  }
  await app.register(healthCheck, { balancer: 'ejected', outliers, interval: 3_600_000, fall: 9 })
  await app.register(metrics)
  await app.register(circuitBreaker, { balancer: 'opened', failures: 2, openFor: 1000, growth: 1, jitter: 0 })
  await app.ready()
  const figure = async (name: string, labels: string) =>
    (await scrape(app))[`fastify_balancer_${name}_total{${labels.replaceAll(/=(\w+)/g, '="$1"')}}`]
  const of = (name: string) => `balancer=${name},backend=shaky`
  // The first one, before it listens.
  assert.equal(await figure('probes', `${of('ejected')},outcome=good`), 1)
  await shaky.stop()
  await app.healthChecks.get('ejected')!.probe('shaky')
  assert.equal(await figure('probes', `${of('ejected')},outcome=bad`), 1)
  assert.equal(await figure('probes', `${of('opened')},outcome=good`), undefined)
  status = 200
  for (let asked = 0; asked < 2; asked++) await app.inject('/opened')
  assert.equal(await figure('circuit_openings', of('opened')), 1)
  for (let trial = 0; trial < 2; trial++) {
    clock.advance(1000)
    await app.inject('/opened')
  }
  assert.equal(await figure('circuit_openings', of('opened')), 1)
  assert.equal(await figure('circuit_openings', of('ejected')), undefined)
  for (let asked = 0; asked < 2; asked++) await app.inject('/ejected')
  await until('all have ended', () => [...app.balancers.values()].every(({ exchanges }) => exchanges === 0))
  assert.equal(await figure('ejections', of('ejected')), 1)
  assert.equal(await figure('ejections', of('opened')), undefined)
})

test('each of two servers that share a balancer counts its probes, until it closes', async (t) => {
  const [well] = await startBackends(t, 'well')
  const [first, second] = [Fastify(), Fastify()]
  t.after(() => Promise.all([first.close(), second.close()]))
  await first.register(balancer, { backends: [{ id: 'well', url: well!.url }] })
  await first.register(metrics)
  await first.register(healthCheck, { initial: 'up', interval: 3_600_000 })
  await second.register(sharedBalancers, { of: first })
  await second.register(metrics)
  await Promise.all([first.ready(), second.ready()])
  await first.healthCheck.probe('well')
  const line = 'fastify_balancer_probes_total{balancer="default",backend="well",outcome="good"}'
  for (const app of [first, second]) assert.equal((await scrape(app))[line], 1)
  const names = () => [...first.balancer.extensions.keys()].filter((name) => name.startsWith('metrics'))
  assert.deepEqual(names(), ['metrics', 'metrics-2'])
  await second.close()
  assert.deepEqual(names(), ['metrics'])
})
