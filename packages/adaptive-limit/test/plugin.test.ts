import balancer, { type Attempt, type Balancer } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ManualClock } from '../../../test/support/clock.ts'
import adaptiveLimit, { type AdaptiveLimitOptions } from '../src/index.ts'

async function start(t: TestContext, options: AdaptiveLimitOptions = {}) {
  const clock = new ManualClock(1000)
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, {
    clock,
    backends: [
      { url: 'http://a.test', id: 'a' },
      { url: 'http://b.test', id: 'b', maxInFlight: 15 },
    ],
  })
  await app.register(adaptiveLimit, options)
  await app.ready()
  return { app, clock, set: app.balancer, limits: () => app.balancer.backends.map(({ limit }) => limit) }
}

/** Ends attempts at a backend, as the balancer tells of them. */
function attempts(set: Balancer, id: string, count: number, given: Partial<Attempt>): void {
  const backend = set.backend(id)
  const exchange = { upgrade: undefined }
  for (let index = 0; index < count; index++) {
    const attempt = { backend, exchange, outcome: 'ok', status: 200, effectiveStatus: 200, uploaded: true, ...given }
    if (attempt.status > 0) set.hooks.tell('onAttemptResponse', attempt as Attempt)
    set.hooks.tell('onAttemptEnd', attempt as Attempt)
  }
}

test('each backend begins with the first limit, within its own most; new ones likewise', async (t) => {
  const { set, limits, app } = await start(t)
  assert.deepEqual(limits(), [20, 15])
  await set.add({ url: 'http://c.test', id: 'c' })
  assert.deepEqual(limits(), [20, 15, 20])
  await set.update('a', { maxInFlight: 12 })
  assert.deepEqual(limits(), [12, 15, 20])
  assert.deepEqual(app.adaptiveLimit.of('a'), { backend: 'a', limit: 12, usual: undefined, isMeasuring: false })
  await set.remove('b')
  assert.deepEqual(
    app.adaptiveLimit.views.map(({ backend }) => backend),
    ['a', 'c'],
  )
  assert.throws(() => app.adaptiveLimit.of('b'))
})

test('the time counts from when the backend has the request, without the wait for a connection', async (t) => {
  const { set, clock, app } = await start(t)
  clock.advance(2000)
  set.backend('a').inFlight = 20
  attempts(set, 'a', 5, { startedAt: 1000, sentAt: 1900, uploadedAt: 0, respondedAt: 2000, endedAt: 9000 })
  attempts(set, 'a', 5, { startedAt: 1000, sentAt: 1100, uploadedAt: 1800, respondedAt: 2000, endedAt: 9000 })
  assert.equal(app.adaptiveLimit.of('a').usual, 150)
  assert.equal(set.backend('a').limit, 20)
  attempts(set, 'a', 10, { startedAt: 2000, sentAt: 2000, uploadedAt: 0, respondedAt: 3000, endedAt: 3000 })
  assert.equal(app.adaptiveLimit.of('a').limit, 19.52)
  assert.equal(set.backend('b').limit, 15)
})

test('failures, tunnels and early answers do not count: they do not depend on capacity', async (t) => {
  const { set, app } = await start(t)
  const times = { startedAt: 1000, sentAt: 1000, uploadedAt: 0, respondedAt: 3000, endedAt: 3000 }
  attempts(set, 'a', 50, { ...times, status: 500, effectiveStatus: 500 })
  attempts(set, 'a', 50, { ...times, exchange: { upgrade: ['websocket'] } as unknown as Attempt['exchange'] })
  attempts(set, 'a', 50, { ...times, uploaded: false })
  attempts(set, 'a', 50, { ...times, status: 0, outcome: 'client-gone', blame: 'client' })
  assert.equal(app.adaptiveLimit.of('a').usual, undefined)
})

test('a request that is never answered has taken at least that long', async (t) => {
  const { set, app } = await start(t)
  const lost = { startedAt: 1000, sentAt: 1100, uploadedAt: 0, respondedAt: 0, endedAt: 31_100, status: 0 }
  attempts(set, 'a', 10, { ...lost, effectiveStatus: 0, outcome: 'headers-timeout', blame: 'backend' })
  assert.equal(app.adaptiveLimit.of('a').usual, 30_000)
})

test('aimd falls when requests fail by the fault of the backend, or get 503 or 504', async (t) => {
  const times = { startedAt: 1000, sentAt: 1000, uploadedAt: 0, respondedAt: 3000, endedAt: 3000 }
  for (const [given, limit] of [
    [{ status: 0, effectiveStatus: 0, outcome: 'reset-before-headers', blame: 'backend' }, 18],
    [{ status: 503, effectiveStatus: 503 }, 18],
    [{ status: 504, effectiveStatus: 504 }, 18],
    [{ status: 200, effectiveStatus: 200 }, 21],
    [{ status: 429, effectiveStatus: 429 }, 21],
    [{ status: 0, effectiveStatus: 0, outcome: 'request-timeout', blame: 'proxy' }, 20],
    [{ status: 500, effectiveStatus: 500 }, 20],
  ] as const) {
    const { set } = await start(t, { algorithm: 'aimd' })
    set.backend('a').inFlight = 10
    attempts(set, 'a', 10, { ...times, ...given })
    assert.equal(set.backend('a').limit, limit, JSON.stringify(given))
  }
})

test('options are checked at boot, all at once', async (t) => {
  await assert.rejects(
    start(t, { algorithm: 'vegas' as 'aimd', window: 5 }),
    /algorithm: expected 'gradient2' or 'aimd', got 'vegas'; window: expected a whole number from 10/,
  )
  await assert.rejects(start(t, { initial: 2 }), { code: 'FST_BALANCER_LIMIT_BAD_OPTIONS' })
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { backends: ['http://a.test'] })
  await app.register(adaptiveLimit)
  await assert.rejects(async () => app.register(adaptiveLimit), {
    code: 'FST_BALANCER_LIMIT_BAD_OPTIONS',
    message: "Bad options of adaptive limits: balancer: 'default' already has a set of adaptive limits",
  })
})

test('it changes, and is switched off and on, while the balancer runs', async (t) => {
  const { set, limits, app } = await start(t)
  const prepare = (limit: unknown) =>
    set.prepare({ backends: [...set.listed] }, { beside: { 'adaptive-limit': limit }, force: true })
  const wrong = await prepare({ min: 30 })
  assert.deepEqual(wrong.faults, ['adaptiveLimit.initial: expected at least `min` (30), got 20'])
  wrong.abandon()
  const same = await prepare({})
  assert.deepEqual(same.changes, [])
  same.abandon()
  const changed = await prepare({ initial: 5, algorithm: 'aimd' })
  assert.deepEqual(changed.changes, [
    { option: 'adaptiveLimit.initial', from: 20, to: 5 },
    { option: 'adaptiveLimit.algorithm', from: 'gradient2', to: 'aimd' },
  ])
  changed.abandon()
  assert.deepEqual(limits(), [20, 15])
  ;(await prepare({ initial: 5 })).commit()
  assert.deepEqual(limits(), [5, 5])
  const kept = app.adaptiveLimit
  ;(await prepare(false)).commit()
  assert.deepEqual(limits(), [1024, 15])
  assert.equal(app.adaptiveLimits.size, 0)
  // Reading it limits nothing.
  assert.deepEqual(kept.views, [])
  assert.throws(() => kept.of('a'), /has no adaptive limits/)
  assert.deepEqual(limits(), [1024, 15])
  assert.deepEqual([set.hooks.onAttemptResponse.length, set.hooks.onAttemptEnd.length], [0, 0])
  await set.add({ url: 'http://c.test', id: 'c' })
  assert.deepEqual(limits(), [1024, 15, 1024])
  ;(await prepare({ initial: 7 })).commit()
  assert.deepEqual(limits(), [7, 7, 7])
  assert.equal(app.adaptiveLimits.size, 1)
})
