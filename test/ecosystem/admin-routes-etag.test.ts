import adminRoutes from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import etag from '@fastify/etag'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'

const views = [
  '/balancers',
  '/balancers/default',
  '/balancers/default/backends',
  '/balancers/default/backends/a',
  '/server',
]

test('no view is taken for another: its tag follows lists, states, circuits and figures, also with @fastify/etag', async (t) => {
  const backend = await startBackend(t)
  const app = Fastify()
  await app.register(etag)
  await app.register(balancer, {
    backends: [
      { id: 'a', url: backend.url },
      { id: 'b', url: backend.url },
    ],
  })
  await app.register(circuitBreaker)
  await app.register(adminRoutes, { insecure: true })
  const { url } = await listenApp(t, app)
  const look = (path: string, headers = {}) => ask(`${url}/_balancer${path}`, { headers })
  const order = async (method: string, path: string, given?: unknown) => {
    const headers = { 'content-type': 'application/json' }
    const body = given === undefined ? {} : { body: JSON.stringify(given) }
    const answer = await ask(`${url}/_balancer/balancers/default/backends/a${path}`, { method, headers, ...body })
    assert.equal(answer.status, 200)
  }
  const known = new Map<string, Map<unknown, string>>(views.map((view) => [view, new Map()]))
  const steps: readonly (() => Promise<unknown>)[] = [
    async () => {},
    () => order('PUT', '/state', { state: 'drain' }),
    () => order('PUT', '/state', { state: 'maintenance' }),
    () => order('PUT', '/state', { state: 'ready' }),
    async () => void app.balancer.veto(app.balancer.backend('a'), { by: 'test', reason: 'any' }),
    () => ask(url),
    () => order('PUT', '/circuit', { state: 'open' }),
    () => order('PUT', '/circuit', { state: 'auto' }),
    () => order('PATCH', '', { weight: 3 }),
  ]
  for (const [index, step] of steps.entries()) {
    await step()
    for (const view of views) {
      const { status, headers, body } = await look(view)
      assert.equal(status, 200)
      const seen = known.get(view)!
      // Times aside, the same tag is the same view.
      const told = body.replaceAll(/"(since|at|changesIn)":\d+/g, '')
      assert.equal(seen.get(headers['etag']) ?? told, told, `${view} after step ${index}`)
      seen.set(headers['etag'], told)
      for (const tag of seen.keys()) {
        const again = await look(view, { 'if-none-match': tag as string })
        if (again.status === 304) assert.equal(seen.get(tag), told, `${view} after step ${index}`)
        else assert.equal(again.body.replaceAll(/"(since|at|changesIn)":\d+/g, ''), told)
      }
    }
  }
  // Each of these has been something else after most of the steps.
  for (const view of views.slice(1, 4)) assert.ok(known.get(view)!.size >= 7, view)
})

test('of a tag, `If-Match` asks for the revision alone: the list may be changed on, whatever has become of states', async (t) => {
  const backend = await startBackend(t)
  const app = Fastify()
  await app.register(balancer, { backends: [{ id: 'a', url: backend.url }] })
  await app.register(adminRoutes, { insecure: true })
  const { url } = await listenApp(t, app)
  const list = `${url}/_balancer/balancers/default/backends`
  const patch = (tag: string) =>
    ask(`${list}/a`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json', 'if-match': tag },
      body: '{"weight":2}',
    })
  await ask(url)
  const { headers } = await ask(list)
  const tag = String(headers['etag'])
  assert.match(tag, /^"1-[\w-]+"$/)
  await ask(url)
  for (const wrong of ['"2"', '"11"', '"2-abc"', '"1-"', '"-1"', '"1 "', `W/${tag}`]) {
    const { status, body } = await patch(wrong)
    assert.equal(status, 412, wrong)
    assert.equal(JSON.parse(body).current.revision, 1)
  }
  const { status, headers: changed } = await patch(`"7", ${tag}`)
  assert.deepEqual([status, changed['etag']], [200, '"2"'])
  assert.equal((await patch(tag)).status, 412)
  assert.equal((await patch('"2"')).status, 200)
})
