import balancer, { type Balancer, type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { hostname } from 'node:os'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend, unusedOrigin } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import adminRoutes from '../../src/index.ts'
import { HistoryView } from '../../src/schemas/past-views.ts'
import { BackendView, BalancersView, BalancerView } from '../../src/schemas/views.ts'
import { assertIs } from '../stage.ts'
import type { View } from './fakes.ts'

const inOrder = {
  name: 'in-order',
  over: (available: Balancer['set']['available']) => ({ pick: () => available[0], peek: () => available[0] }),
}

/** Backends that answer with the status in the path, and cut off `/cut`; and what is asked of the admin routes. */
async function start(
  t: TestContext,
  options: (live: string[], dead: string) => BalancerOptions,
  after?: (app: FastifyInstance) => Promise<void>,
) {
  const origins = await Promise.all(
    [1, 2].map(() =>
      startBackend(t, (request, response) => {
        if (request.url !== '/cut') return response.writeHead(Number(request.url!.slice(1, 4))).end()
        response.writeHead(200, { 'content-length': 2 })
        return response.write('x', () => response.socket!.destroy())
      }),
    ),
  )
  const app = Fastify()
  await app.register(
    balancer,
    options(
      origins.map(({ url }) => url),
      await unusedOrigin(),
    ),
  )
  await app.register(adminRoutes, { insecure: true })
  await after?.(app)
  const { url } = await listenApp(t, app)
  const admin = async (path: string) => {
    // A client may have a response before its request has ended here.
    await until('all have ended', () => [...app.balancers.values()].every(({ exchanges }) => exchanges === 0))
    return JSON.parse((await ask(`${url}/_balancer${path}`)).body)
  }
  return { app, url, admin }
}

function sum(column: readonly (number | null)[]): number {
  return column.reduce<number>((total, value) => total + (value ?? 0), 0)
}

/** The sums of the columns that are counts. */
function sums({ responses, ...rest }: { responses: View['totals']['responses'] } & object): Record<string, number> {
  const columns = Object.entries({ ...rest, ...responses })
  const counted = columns.filter(([name]) => !['id', 'p50', 'p95', 'p99', 'inFlight', 'waiting'].includes(name))
  return Object.fromEntries(counted.map(([name, column]) => [name, sum(column as number[])]))
}

test('the history, the totals and the counters of backends say what a client has counted', async (t) => {
  const { url, admin } = await start(t, ([a, b]) => ({
    backends: [
      { id: 'a', url: a! },
      { id: 'b', url: b! },
    ],
    retry: { attempts: 0 },
  }))
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  t.after(() => agent.destroy())
  const asked = { '/200': 120, '/302': 20, '/404': 30, '/500': 40, '/cut': 10 }
  const counted = { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, broken: 0 }
  await Promise.all(
    Object.entries(asked).flatMap(([path, count]) =>
      Array.from({ length: count }, async () => {
        const { status, whole } = await ask(url + path, { agent })
        counted[`${Math.trunc(status / 100)}xx` as '2xx']++
        if (!whole) counted.broken++
      }),
    ),
  )
  assert.deepEqual(counted, { '2xx': 130, '3xx': 20, '4xx': 30, '5xx': 40, broken: 10 })
  const { broken, ...classes } = counted
  const responses = { '1xx': 0, ...classes }
  const failed = counted['5xx'] + broken
  for (const range of ['5m', '15m', '1h', '6h', '24h', '3d']) {
    const told: View = await admin(`/balancers/default/history?range=${range}`)
    assertIs(HistoryView, told)
    assert.deepEqual(sums(told.totals), { requests: 220, failed, retries: 0, refused: 0, shed: 0, ...responses }, range)
    const each = told.backends.map((one) => sums(one))
    assert.deepEqual(
      each.map(({ attempts }) => attempts),
      [110, 110],
    )
    for (const name of ['failed', ...Object.keys(responses)])
      assert.equal(sum(each.map((one) => one[name]!)), name === 'failed' ? failed : responses[name as '2xx'], name)
  }

  const view = await admin('/balancers/default')
  assertIs(BalancerView, view)
  assert.deepEqual(view.totals, {
    requests: 220,
    failed,
    retries: 0,
    responses,
    outcomes: { ok: 210, 'body-truncated': 10 },
  })
  const summary = await admin('/balancers')
  assertIs(BalancersView, summary)
  assert.deepEqual(summary.balancers[0].totals, view.totals)
  const backends = await Promise.all(['a', 'b'].map((id) => admin(`/balancers/default/backends/${id}`)))
  for (const one of backends) assertIs(BackendView, one)
  assert.equal(sum(backends.map((one) => one.failed)), failed)
  for (const name of Object.keys(responses))
    assert.equal(sum(backends.map((one) => one.responses[name])), responses[name as '2xx'], name)
})

test('retries count, in all and at the backend that they went to', async (t) => {
  const { url, admin } = await start(t, ([live], dead) => ({
    backends: [
      { id: 'dead', url: dead },
      { id: 'live', url: live! },
    ],
    policy: inOrder,
    retry: { attempts: 1 },
  }))
  for (let count = 0; count < 5; count++) assert.equal((await ask(`${url}/200`)).status, 200)
  const told: View = await admin('/balancers/default/history?range=5m')
  assert.deepEqual([sum(told.totals.requests), sum(told.totals.failed), sum(told.totals.retries)], [5, 0, 5])
  assert.deepEqual(
    told.backends.map(({ id, attempts, failed }) => [id, sum(attempts), sum(failed)]),
    [
      ['dead', 5, 5],
      ['live', 5, 0],
    ],
  )
  assert.deepEqual(
    (await admin('/balancers/default/backends')).backends.map((one: BackendView) => [one.id, one.retries, one.failed]),
    [
      ['dead', 0, 5],
      ['live', 5, 0],
    ],
  )
})

test('says how long its steps are, whose it is, and how far it has come', async (t) => {
  const before = Date.now()
  const { url, admin } = await start(t, ([a]) => ({ backends: [{ id: 'a', url: a! }] }))
  await ask(`${url}/200`)
  const told: View = await admin('/balancers/default/history')
  assert.equal(told.balancer, 'default')
  assert.equal(told.instance, `${hostname()}:${process.pid}`)
  assert.deepEqual([told.step, told.times.length], [10_000, 360])
  const last = told.times.at(-1)!
  assert.ok(told.times.every((time, index) => time === last - (359 - index) * 10_000 && time % 10_000 === 0))
  assert.ok(told.at - last >= 0 && told.at - last < 10_000)
  assert.ok(told.since >= before && told.since <= told.at)
  // Before this process was there, nothing was measured.
  const first = told.times.findIndex((time) => time > told.since - 10_000)
  assert.ok(told.totals.requests.every((value, index) => (value === null) === index < first))
  assert.ok(told.totals.p95.every((value, index) => value === null || told.totals.requests[index]! > 0))
  const alone: View = await admin('/balancers/default/history?backends=false')
  assert.deepEqual([alone.backends, sum(alone.totals.requests)], [[], 1])
  const longer: View = await admin('/balancers/default/history?range=3d')
  assert.deepEqual([longer.step, longer.times.length, sum(longer.totals.requests)], [600_000, 432, 1])
})

test('a request counts once, with however many admin routes', async (t) => {
  const { url, admin } = await start(
    t,
    ([a]) => ({ backends: [{ id: 'a', url: a! }] }),
    async (app) => {
      await app.register(adminRoutes, { insecure: true, prefix: '/_other' })
    },
  )
  await ask(`${url}/200`)
  const told: View = await admin('/balancers/default/history?range=5m')
  const other: View = JSON.parse((await ask(`${url}/_other/balancers/default/history?range=5m`)).body)
  assert.deepEqual([sum(told.totals.requests), sum(other.totals.requests)], [1, 1])
})

test('knows a balancer that was registered later, and nothing of another server', async (t) => {
  const one = await start(
    t,
    ([a]) => ({ backends: [{ id: 'a', url: a! }] }),
    async (app) => {
      await app.register(balancer, { name: 'later', prefix: '/later', backends: [] })
    },
  )
  const another = await start(t, ([a]) => ({ backends: [{ id: 'a', url: a! }] }))
  await ask(`${one.url}/later`)
  await ask(`${another.url}/200`)
  const told = async (name: string) => {
    const { totals }: View = await one.admin(`/balancers/${name}/history?range=5m`)
    return [sum(totals.requests), sum(totals.failed)]
  }
  assert.deepEqual(
    [await told('later'), await told('default')],
    [
      [1, 1],
      [0, 0],
    ],
  )
})

test('refuses what is no range, and knows no other balancer', async (t) => {
  const { url } = await start(t, ([a]) => ({ backends: [{ id: 'a', url: a! }] }))
  const statusOf = async (path: string) => (await ask(`${url}/_balancer/balancers/${path}`)).status
  assert.deepEqual(
    await Promise.all(
      ['default/history?range=2h', 'default/history?range=', 'default/history?backends=x', 'other/history'].map(
        statusOf,
      ),
    ),
    [400, 400, 400, 404],
  )
  assert.deepEqual(
    await Promise.all(
      ['default/failures?limit=0', 'default/failures?limit=101', 'default/failures?limit=x', 'other/failures'].map(
        statusOf,
      ),
    ),
    [400, 400, 400, 404],
  )
})
