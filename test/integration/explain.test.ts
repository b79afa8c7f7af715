import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend, startBackends } from '../support/backend.ts'
import { until } from '../support/until.ts'

async function start(t: TestContext, names: readonly string[], options: BalancerOptions = {}) {
  const backends = await startBackends(t, ...names)
  const { app, url } = await startApp(t, {
    backends: backends.map((backend, index) => ({ url: backend.url, id: names[index]!, weight: names.length - index })),
    ...options,
  })
  return { url, balancer: app.balancer, backends }
}

for (const policy of ['round-robin', 'weighted', 'random', 'p2c', 'least-requests'] as const) {
  test(`who would be picked is who is picked next, and asking changes nothing: ${policy}`, async (t) => {
    // Always the same numbers, over and over.
    const numbers = [0.1, 0.7, 0.4, 0.95, 0.2]
    let drawn = 0
    const random = () => numbers[drawn++ % numbers.length]!
    const { url, balancer, backends } = await start(t, ['a', 'b', 'c'], { policy, random })
    const set = balancer.set
    for (let count = 0; count < 10; count++) {
      const [first, second] = [balancer.explain(), balancer.explain()]
      assert.deepEqual(first, second)
      if (policy === 'random' || policy === 'p2c') {
        // What a coming draw decides, nobody can say.
        assert.ok(['a', 'b', 'c'].includes(first.picked!))
        await ask(url)
      } else assert.equal((await ask(url)).body, first.picked)
    }
    assert.equal(balancer.set, set)
    assert.equal(
      backends.reduce((sum, { received }) => sum + received.length, 0),
      10,
    )
  })
}

test('it is said of every backend why it may or may not be used', async (t) => {
  const { balancer } = await start(t, ['a', 'b', 'c'], { policy: 'least-requests' })
  balancer.veto(balancer.backend('b'), { by: 'health-check', reason: '3 probes failed' })
  balancer.veto(balancer.backend('b'), { by: 'maintenance', reason: 'new disks', hard: true })
  const explanation = balancer.explain()
  assert.deepEqual([explanation.picked, explanation.panicking], ['a', false])
  assert.deepEqual(
    explanation.backends.map(({ id, available, eligible, weight, priority, inFlight, maxInFlight }) => {
      return { id, available, eligible, weight, priority, inFlight, maxInFlight }
    }),
    [
      { id: 'a', available: true, eligible: true, weight: 3, priority: 0, inFlight: 0, maxInFlight: 1024 },
      { id: 'b', available: false, eligible: false, weight: 2, priority: 0, inFlight: 0, maxInFlight: 1024 },
      { id: 'c', available: true, eligible: true, weight: 1, priority: 0, inFlight: 0, maxInFlight: 1024 },
    ],
  )
  const [a, b, c] = explanation.backends
  assert.deepEqual(
    b!.vetoes.map(({ by, reason, hard }) => ({ by, reason, hard })),
    [
      { by: 'health-check', reason: '3 probes failed', hard: false },
      { by: 'maintenance', reason: 'new disks', hard: true },
    ],
  )
  assert.deepEqual([typeof a!.score, b!.score, typeof c!.score], ['number', null, 'number'])
  // It can be sent as it is.
  assert.deepEqual(JSON.parse(JSON.stringify(explanation)), explanation)
})

test('nobody is picked when nobody is available, or nobody has room', async (t) => {
  const holding = await startBackend(t, () => {})
  const { app, url } = await startApp(t, {
    backends: [{ url: holding.url, id: 'a', maxInFlight: 1 }],
  })
  const { balancer } = app
  assert.equal(balancer.explain().picked, 'a')
  const held = request(url, { agent: false })
    .on('error', () => {})
    .end()
  t.after(() => held.destroy())
  await until('it is under way', () => holding.received.length === 1)
  const full = balancer.explain({ method: 'POST', url: '/x', headers: { host: 'x' } })
  assert.deepEqual([full.picked, full.backends[0]!.inFlight, full.backends[0]!.available], [null, 1, true])
  held.destroy()
  await until('it has ended', () => balancer.exchanges === 0)
  balancer.veto(balancer.backend('a'), { by: 'test', reason: 'closed', hard: true })
  assert.equal(balancer.explain().picked, null)
  await balancer.setBackends([])
  assert.deepEqual(balancer.explain(), {
    picked: null,
    panicking: false,
    policy: { name: 'round-robin' },
    backends: [],
  })
})

test('who has no room is not who would be picked', async (t) => {
  const holding = await startBackend(t, () => {})
  const [b] = await startBackends(t, 'b')
  const { app, url } = await startApp(t, {
    backends: [
      { url: holding.url, id: 'a', maxInFlight: 1 },
      { url: b!.url, id: 'b' },
    ],
    policy: { name: 'in-order', over: (available) => ({ pick: () => available[0], peek: () => available[0] }) },
  })
  const held = request(url, { agent: false })
    .on('error', () => {})
    .end()
  t.after(() => held.destroy())
  await until('it is under way', () => holding.received.length === 1)
  assert.equal(app.balancer.explain().picked, 'b')
  assert.equal((await ask(url)).body, 'b')
})

test('in panic it says so', async (t) => {
  const { balancer } = await start(t, ['a', 'b'])
  for (const backend of balancer.backends) balancer.veto(backend, { by: 'test', reason: 'suspicious' })
  const { panicking, picked, backends } = balancer.explain()
  assert.deepEqual([panicking, picked === null], [true, false])
  assert.deepEqual(
    backends.map(({ available, eligible, vetoes }) => [available, eligible, vetoes.length]),
    [
      [false, true, 1],
      [false, true, 1],
    ],
  )
})
