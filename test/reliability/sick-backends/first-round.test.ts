import type { HealthCheckOptions } from '@fastify-balancer/health-check'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startRawBackend, unusedOrigin } from '../../support/backend.ts'
import { assemble, startChecked, usedAgain } from './checked-app.ts'
import { startFourMoody, startMoodyBackend } from './moody-backend.ts'

/** Three backends that are well, one that nobody listens for, and one that accepts and never answers. */
async function mixed(t: TestContext) {
  const [a, b, c] = await startFourMoody(t)
  const backends = [
    { id: 'refuses', url: await unusedOrigin() },
    { id: 'hangs', url: await startRawBackend(t, () => {}) },
    ...[a!, b!, c!],
  ]
  return { backends, circuitBreaker: false, healthCheck: { timeout: 1500 } } as const
}

/** How many attempts each of `mixed` has been sent. */
const fair = [0, 0, 10, 10, 10]

test('with inject, what cannot be reached gets nothing from the very first request on', async (t) => {
  const app = await assemble(await mixed(t))
  t.after(() => app.close())
  const from = performance.now()
  for (let count = 0; count < 30; count++) assert.equal((await app.inject('/')).statusCode, 200)
  const took = performance.now() - from
  assert.deepEqual(
    app.balancer.backends.map(({ requests }) => requests),
    fair,
  )
  t.diagnostic(`first round and 30 requests: ${took.toFixed(0)} ms; 0 attempts at what cannot be reached`)
})

test('with listen, the port opens when it is known who can be reached', async (t) => {
  const from = performance.now()
  const { balancer, url, load } = await startChecked(t, await mixed(t))
  const took = performance.now() - from
  assert.deepEqual(
    balancer.set.available.map(({ id }) => id),
    ['a', 'b', 'c'],
  )
  load.begin(url)
  await load.more(30)
  await load.end()
  assert.deepEqual(load.failed, [])
  const [refuses, hangs] = balancer.backends.map(({ requests }) => requests)
  assert.deepEqual([refuses, hangs], [0, 0])
  t.diagnostic(`listening after ${took.toFixed(0)} ms, the longest probe may take 1500 ms`)
})

test("initial 'up' waits for no probe", async (t) => {
  const backends = await startFourMoody(t)
  let probes = 0
  const healthCheck: HealthCheckOptions = {
    initial: 'up',
    timeout: 60_000,
    async probe() {
      probes++
      await new Promise(() => {})
    },
  }
  const app = await assemble({ backends, healthCheck, circuitBreaker: false })
  t.after(() => app.close())
  const from = performance.now()
  await app.ready()
  const took = performance.now() - from
  assert.ok(took < 4000, `ready after ${took.toFixed(0)} ms`)
  assert.equal(app.balancer.set.available.length, 4)
  for (let count = 0; count < 8; count++) await app.inject('/')
  assert.deepEqual(
    app.balancer.backends.map(({ requests }) => requests),
    [2, 2, 2, 2],
  )
  t.diagnostic(`ready after ${took.toFixed(0)} ms, ${probes} probes begun`)
})

/** A balancer of one backend, and two newcomers: one is well, and one is down. */
async function startWithNewcomers(t: TestContext, admit: 'healthy' | 'always' | 'all-or-nothing') {
  const old = await startMoodyBackend(t, 'old')
  const well = await startMoodyBackend(t, 'well')
  const down = await startMoodyBackend(t, 'down')
  await down.down()
  const { app, balancer, url, load } = await startChecked(t, {
    backends: [old],
    // One that is let in unasked is probed so late that its traffic tells first: after a random share of the interval.
    core: { random: () => 0.5 },
    healthCheck: { admit, interval: 200, fastInterval: admit === 'always' ? 60_000 : 100, timeout: 1000 },
    circuitBreaker: false,
  })
  const list = [old, well, down].map(({ id, url: origin }) => ({ id, url: origin }))
  load.begin(url)
  await load.more(20)
  return { app, balancer, load, down, change: () => balancer.setBackends(list) }
}

test("admit 'healthy': a newcomer gets its first request when it is well", async (t) => {
  const { balancer, load, down, change } = await startWithNewcomers(t, 'healthy')
  await change()
  const newcomer = balancer.backend('down')
  assert.deepEqual(
    newcomer.vetoes.map(({ by, hard }) => ({ by, hard })),
    [{ by: 'health-check', hard: false }],
  )
  assert.match(newcomer.vetoes[0]!.reason, /ECONNREFUSED/)
  await load.more(60)
  assert.equal(newcomer.requests, 0)
  assert.ok(balancer.backend('well').requests >= 25)
  await down.up()
  const took = await usedAgain(newcomer)
  await load.end()
  assert.deepEqual(load.failed, [])
  assert.equal(newcomer.requests, newcomer.outcomes.ok)
  t.diagnostic(`0 attempts while it was down; used ${took.toFixed(0)} ms after it came up`)
})

test("admit 'always': a newcomer gets requests at once, until it is found out", async (t) => {
  const { balancer, load, change } = await startWithNewcomers(t, 'always')
  await change()
  const newcomer = balancer.backend('down')
  assert.ok(newcomer.available)
  await load.more(60)
  await load.end()
  assert.ok(newcomer.requests > 0, 'it was tried')
  assert.ok(newcomer.vetoes.length > 0, 'it was found out')
  // What was never sent goes elsewhere.
  assert.deepEqual(load.failed, [])
  t.diagnostic(`${newcomer.requests} attempts until it was found out, by ${newcomer.vetoes[0]!.by}`)
})

test("admit 'all-or-nothing': one that is not well refuses the whole change, by name", async (t) => {
  const { app, balancer, load, down, change } = await startWithNewcomers(t, 'all-or-nothing')
  const { revision } = balancer.set
  await assert.rejects(change(), {
    code: 'FST_BALANCER_REFUSED_BACKENDS',
    statusCode: 409,
    message: /: down: HEAD http.*ECONNREFUSED$/,
  })
  assert.deepEqual([balancer.set.revision, balancer.backends.map(({ id }) => id)], [revision, ['old']])
  assert.deepEqual(
    app.healthCheck.toJSON().map(({ id }) => id),
    ['old'],
  )
  await down.up()
  await change()
  assert.deepEqual(
    balancer.set.available.map(({ id }) => id),
    ['old', 'well', 'down'],
  )
  await load.end()
  assert.deepEqual(load.failed, [])
})
