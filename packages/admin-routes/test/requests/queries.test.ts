import balancer from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import Fastify, { type RouteOptions } from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackends } from '../../../../test/support/backend.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import adminRoutes, { type AdminRoutesOptions } from '../../src/index.ts'

/** Every route, with a body that is right. */
const orders: Readonly<Record<string, unknown>> = {
  'GET /balancers': undefined,
  'GET /balancers/:name': undefined,
  'GET /balancers/:name/backends': undefined,
  'PUT /balancers/:name/backends': { backends: [] },
  'POST /balancers/:name/backends': { url: 'http://127.0.0.1:9' },
  'GET /balancers/:name/backends/:id': undefined,
  'PATCH /balancers/:name/backends/:id': { weight: 9 },
  'DELETE /balancers/:name/backends/:id': undefined,
  'PUT /balancers/:name/backends/:id/state': { state: 'maintenance' },
  'GET /balancers/:name/backends/:id/wait': undefined,
  'GET /balancers/:name/config': undefined,
  'POST /balancers/:name/backends/:id/probe': undefined,
  'PUT /balancers/:name/backends/:id/circuit': { state: 'open' },
  'GET /balancers/:name/tunnels': undefined,
  'DELETE /balancers/:name/tunnels/:id': undefined,
  'GET /balancers/:name/history': undefined,
  'GET /balancers/:name/failures': undefined,
  'POST /balancers/:name/explain': {},
  'POST /balancers/:name/rollback': { revision: 1 },
  'GET /events': undefined,
  'GET /server': undefined,
  'GET /server/wait': undefined,
  'PUT /server/state': { state: 'drain', grace: 0, close: true },
  'POST /server/restart': undefined,
  'GET /instances': undefined,
  'GET /operator': undefined,
  'GET /ready': undefined,
  'GET /live': undefined,
}

/** Asked by orchestrators, and by browsers that can set no header field: they may have a query of their own. */
const lenient = ['/events', '/ready', '/live']

async function start(t: TestContext, options: AdminRoutesOptions = { insecure: true }) {
  const [backend] = await startBackends(t, 'a')
  const app = Fastify()
  // Nothing happens by itself.
  await app.register(balancer, { backends: [{ id: 'a', url: backend!.url }], clock: new ManualClock() })
  await app.register(healthCheck, {})
  await app.register(circuitBreaker, {})
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => void routes.push(route))
  await app.register(adminRoutes, options)
  const { url } = await listenApp(t, app)
  const state = () =>
    JSON.stringify([app.balancer.set.revision, app.balancer.backends, app.circuitBreaker.views, app.server.listening])
  return { app, routes, backend: backend!, base: `${url}/_balancer`, state }
}

test('every order names what its query may hold, and refuses the rest', async (t) => {
  const { routes, backend, base, state } = await start(t)
  const visible = routes.filter(({ schema }) => schema?.hide !== true)
  const names = visible.flatMap(({ method, url }) =>
    [method].flat().map((one) => `${one} ${url.replace('/_balancer', '')}`),
  )
  const pinned = Object.keys(orders)
  assert.deepEqual(
    names.filter((name) => !name.startsWith('HEAD ')).toSorted((one, other) => one.localeCompare(other)),
    pinned.toSorted((one, other) => one.localeCompare(other)),
  )
  for (const { method, url, schema } of visible) {
    if (lenient.some((path) => url.endsWith(path))) continue
    const { additionalProperties } = (schema?.querystring ?? {}) as { additionalProperties?: boolean }
    assert.equal(additionalProperties, false, `${String(method)} ${url}`)
  }

  const before = [state(), backend.received.length]
  for (const name of pinned) {
    const [method, path] = name.split(' ') as [string, string]
    if (lenient.includes(path)) continue
    // Only what changes the list has a dry run.
    const answer = await ask(`${base}${path.replace(':name', 'default').replace(':id', 'a')}?dryRun=true&dryrun=x`, {
      method,
      ...(orders[name] !== undefined && {
        body: JSON.stringify(orders[name]),
        headers: { 'content-type': 'application/json' },
      }),
    })
    const { code, faults } = JSON.parse(answer.body) as { code?: string; faults: string[] }
    assert.deepEqual([answer.status, code], [400, 'FST_BALANCER_ADMIN_BAD_REQUEST'], name)
    assert.ok(
      faults.some((fault: string) => fault.startsWith('dryrun: unknown option')),
      name,
    )
    assert.deepEqual([state(), backend.received.length], before, name)
  }
})

for (const openProbes of [false, true])
  test(`a query of somebody else does not matter to ${openProbes ? 'open ' : ''}probes, nor to the events`, async (t) => {
    const { base } = await start(t, { insecure: true, openProbes })
    assert.equal((await ask(`${base}/ready?token=x&time=1`)).status, 200)
    assert.equal((await ask(`${base}/live?token=x`)).status, 200)
    const events = await fetch(`${base}/events?access_token=x&type=veto`)
    assert.equal(events.status, 200)
    await events.body!.cancel()
    assert.equal((await ask(`${base}/events?type=nothing`)).status, 400)
  })

test('a dry run of what has none is refused, and not carried out', async (t) => {
  const { base, state } = await start(t)
  const before = state()
  for (const [path, order] of [
    ['/balancers/default/backends/a/state', { state: 'maintenance' }],
    ['/balancers/default/backends/a/circuit', { state: 'open' }],
    ['/server/state', { state: 'drain', grace: 0, close: true }],
  ] as const) {
    const body = JSON.stringify(order)
    const headers = { 'content-type': 'application/json' }
    const answer = await ask(`${base}${path}?dryRun=true`, { method: 'PUT', body, headers })
    assert.deepEqual([answer.status, JSON.parse(answer.body).faults], [400, ['dryRun: unknown option']], path)
    assert.equal(state(), before, path)
  }
  assert.equal((await ask(`${base}/ready`)).status, 200)
})
