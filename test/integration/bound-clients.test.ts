import adminRoutes from '@fastify-balancer/admin-routes'
import balancer, { type Policy } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { until } from '../support/until.ts'

/** Sends whoever names a backend there, while it is on any list; everybody else to the first available one. */
const byName: Policy = {
  name: 'by-name',
  over(available, draining = []) {
    const known = new Map([...available, ...draining].map((backend) => [backend.id, backend]))
    const choose = (request: { headers: Record<string, unknown> }) =>
      known.get(String(request.headers['x-bound-to'])) ?? available[0]
    return { pick: choose, peek: choose }
  },
}

const bound = { headers: { 'x-bound-to': 'a' } }

async function start(t: TestContext) {
  const clock = new ManualClock()
  const held: ServerResponse[] = []
  const a = await startBackend(t, ({ url }, response) => {
    if (url === '/held') held.push(response)
    else response.end('a')
  })
  const b = await startBackend(t, undefined, 'b')
  const app = Fastify()
  await app.register(balancer, {
    backends: [
      { url: a.url, id: 'a', maxInFlight: 2 },
      { url: b.url, id: 'b' },
    ],
    policy: byName,
    clock,
    timeouts: { headers: 0, idle: 0 },
  })
  await app.register(adminRoutes, { insecure: true })
  const { url } = await listenApp(t, app)
  const order = (given: object, path = 'balancers/default/backends/a/state') =>
    ask(`${url}/_balancer/${path}`, {
      method: path.endsWith('state') ? 'PUT' : 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(given),
    })
  return { url, clock, held, app, order }
}

test('while a backend drains, the clients that are bound to it stay, and new ones go elsewhere', async (t) => {
  const { url, clock, order } = await start(t)
  assert.equal((await ask(url)).body, 'a')
  assert.equal((await order({ state: 'drain', deadline: 60_000 })).status, 200)
  for (let count = 0; count < 3; count++) {
    assert.deepEqual([(await ask(url)).body, (await ask(url, bound)).body], ['b', 'a'])
    clock.advance(19_999)
  }
  clock.advance(3)
  assert.deepEqual([(await ask(url)).body, (await ask(url, bound)).body], ['b', 'b'])
  assert.equal((await order({ state: 'ready' })).status, 200)
  assert.deepEqual([(await ask(url)).body, (await ask(url, bound)).body], ['a', 'a'])
})

test('what such a client has under way at the deadline goes on elsewhere, if it may be repeated', async (t) => {
  const { url, clock, held, app } = await start(t)
  assert.equal(await app.balancer.drain('a', { deadline: 1000 }), true)
  const answer = ask(`${url}/held`, bound)
  await until('it is under way', () => held.length === 1)
  clock.advance(999)
  assert.equal(app.balancer.backend('a').inFlight, 1)
  clock.advance(1)
  assert.equal((await answer).body, 'b')
})

test('maintenance keeps nobody', async (t) => {
  const { url, order } = await start(t)
  await order({ state: 'drain' })
  assert.equal((await ask(url, bound)).body, 'a')
  await order({ state: 'maintenance' })
  assert.equal((await ask(url, bound)).body, 'b')
  await order({ state: 'drain' })
  assert.equal((await ask(url, bound)).body, 'a')
})

test('who drains and is sick as well keeps nobody while it is', async (t) => {
  const { url, app } = await start(t)
  await app.balancer.drain('a')
  const veto = app.balancer.veto(app.balancer.backend('a'), { by: 'health-check', reason: 'it is down' })
  assert.equal((await ask(url, bound)).body, 'b')
  veto.lift()
  assert.equal((await ask(url, bound)).body, 'a')
})

test('a client whose backend has no room goes elsewhere', async (t) => {
  const { url, held, app } = await start(t)
  await app.balancer.drain('a', { deadline: 0 })
  const answers = [ask(`${url}/held`, bound), ask(`${url}/held`, bound)]
  await until('both are under way', () => held.length === 2)
  assert.equal((await ask(url, bound)).body, 'b')
  for (const response of held) response.end('finished')
  assert.deepEqual(
    (await Promise.all(answers)).map(({ body }) => body),
    ['finished', 'finished'],
  )
})

test('it is explained', async (t) => {
  const { order } = await start(t)
  await order({ state: 'drain' })
  const explain = async (headers: object) => JSON.parse((await order({ headers }, 'balancers/default/explain')).body)
  assert.equal((await explain({})).picked, 'b')
  const { picked, backends } = await explain(bound.headers)
  assert.deepEqual([picked, backends[0].available, backends[0].vetoes[0].by], ['a', false, 'drain'])
})
