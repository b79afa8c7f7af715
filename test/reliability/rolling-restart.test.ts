import type { CircuitBreakerOptions } from '@fastify-balancer/circuit-breaker'
import balancer, { type BalancerOptions } from 'fastify-balancer'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { LogLines } from '../support/log-lines.ts'
import { until } from '../support/until.ts'
import { startMoodyBackend } from './sick-backends/moody-backend.ts'
import { SteadyLoad } from './sick-backends/steady-load.ts'

/** So long that no circuit is half-open in these tests but for what a probe has said. */
const openFor = 600_000

async function start(
  t: TestContext,
  options: Pick<BalancerOptions, 'healthCheck'> & { readonly circuitBreaker?: CircuitBreakerOptions } = {},
) {
  const load = new SteadyLoad(t)
  const [a, b] = [await startMoodyBackend(t, 'a'), await startMoodyBackend(t, 'b')]
  const log = new LogLines()
  const app = Fastify({ logger: log })
  await app.register(balancer, {
    backends: [a, b].map(({ id, url }) => ({ id, url })),
    ...options,
    circuitBreaker: { openFor, maxOpenFor: openFor, jitter: 0, ...options.circuitBreaker },
  })
  const { url } = await listenApp(t, app)
  const circuit = (id: string) => app.circuitBreaker.of(id)
  const changes = () =>
    log.all.flatMap(({ msg }) => (msg?.startsWith('circuit of backend ') === true ? [msg.slice(19)] : []))
  return { app, url, load, a, b, circuit, changes }
}

test('A is back, and its probes are good: its circuit tries long before its time, and B can be restarted', async (t) => {
  const { app, url, load, a, b, circuit, changes } = await start(t)
  load.begin(url, 10)
  await load.more(50)
  await a.down()
  await until('the circuit of a is open', () => circuit('a').state === 'open')
  await load.more(100)
  await a.up()
  await until('the circuit of a is closed', () => circuit('a').state === 'closed', 30_000)
  assert.deepEqual(changes(), [
    'a open for 600 s: 3 failures in a row, at most 10 s apart',
    'a half-open: a probe succeeded',
    'a closed: a trial succeeded',
  ])
  const backend = app.balancer.backend('a')
  await until('nothing else is held against it', () => backend.vetoes.length === 0, 30_000)
  await b.down()
  await load.more(100)
  assert.deepEqual(
    load.samples.filter(({ status }) => status !== 200),
    [],
  )
  assert.ok(changes().includes('b open for 600 s: 3 failures in a row, at most 10 s apart'))
  await b.up()
  await until('the circuit of b is closed', () => circuit('b').state === 'closed', 30_000)
  await load.end()
  assert.deepEqual(load.failed, [])
})

test('one that answers 503 to requests, and well to probes, stays out for its time', async (t) => {
  const { app, url, a, circuit, changes } = await start(t)
  a.mood = { status: 503 }
  for (let count = 0; count < 6; count++) await ask(url)
  assert.equal(circuit('a').state, 'open')
  for (let count = 0; count < 5; count++) assert.equal((await app.healthCheck.probe('a')).good, true)
  assert.equal(circuit('a').state, 'open')
  // But once a probe was bad, a good one is news.
  await a.down()
  assert.equal((await app.healthCheck.probe('a')).good, false)
  a.mood = {}
  await a.up()
  assert.equal((await app.healthCheck.probe('a')).good, true)
  assert.equal(changes().at(-1), 'a half-open: a probe succeeded')
})

test('each time in a row it takes one good probe more', async (t) => {
  const { app, url, a, circuit, changes } = await start(t, { healthCheck: { fall: 100 } })
  const get = (count: number) => Promise.all(Array.from({ length: count }, () => ask(url)))
  const probe = async () => (await app.healthCheck.probe('a')).good
  await a.down()
  await get(6)
  assert.equal(circuit('a').state, 'open')
  await a.up()
  assert.equal(await probe(), true)
  await until('a trial may go', () => circuit('a').state === 'half-open')
  await a.down()
  await get(2)
  assert.deepEqual([circuit('a').state, circuit('a').openings], ['open', 2])
  await a.up()
  const before = changes().length
  assert.equal(await probe(), true)
  assert.equal(await probe(), true)
  await until('a trial may go', () => circuit('a').state === 'half-open')
  assert.deepEqual(changes().slice(before), ['a half-open: 2 probes in a row succeeded'])
})
