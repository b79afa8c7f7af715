import adminRoutes from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import metrics from '@fastify-balancer/metrics'
import { scrape } from '../../packages/metrics/test/scrape.ts'

const backends = [{ id: 'a', url: 'http://127.0.0.1:1' }]

async function start(t: TestContext): Promise<FastifyInstance> {
  const app = Fastify()
  t.after(() => app.close())
  for (const name of ['shop', 'other']) await app.register(balancer, { name, prefix: `/${name}`, backends })
  await app.register(metrics)
  await app.register(adminRoutes, { insecure: true })
  await app.ready()
  return app
}

async function refusals(app: FastifyInstance, name: string): Promise<Record<string, number | undefined>> {
  const figures = await scrape(app)
  const statuses = ['400', '409', '412', '507']
  const line = (status: string) => `fastify_balancer_changes_refused_total{balancer="${name}",status="${status}"}`
  return Object.fromEntries(statuses.map((status) => [status, figures[line(status)]]))
}

const none = { 400: 0, 409: 0, 412: 0, 507: 0 }

test('changes that the admin API refuses are counted by status; those of another server are not', async (t) => {
  const [app, another] = [await start(t), await start(t)]
  assert.deepEqual(await refusals(app, 'shop'), none)
  const url = '/_balancer/balancers/shop/backends'
  const put = async (body: object, headers = {}) =>
    (await app.inject({ method: 'PUT', url, payload: body, headers })).statusCode
  assert.equal(await put({ backends: [{ url: 'htp://a.test' }] }), 400)
  assert.equal(await put({ backends: [{ url: 'http://a.test', weight: -1 }] }), 400)
  assert.equal(await put({ backends: [] }), 409)
  assert.equal(await put({ backends }, { 'if-match': '"7"' }), 412)
  assert.equal(await put({ backends }), 200)
  assert.deepEqual(await refusals(app, 'shop'), { 400: 2, 409: 1, 412: 1, 507: 0 })
  for (const [one, name] of [
    [app, 'other'],
    [another, 'shop'],
  ] as const)
    assert.deepEqual(await refusals(one, name), none)
})
