import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import balancer, { type BalancerOptions } from '../../src/index.ts'

const pages = ['/_balancer/balancers', '/_balancer/dashboard/', '/_balancer/dashboard/settings.json', '/metrics']

async function start(t: TestContext, options: BalancerOptions) {
  const app = Fastify()
  await app.register(balancer, { backends: [], dashboard: {}, metrics: {}, ...options })
  const { url } = await listenApp(t, app)
  return async (host: string) => {
    const answers = await Promise.all(pages.map((page) => ask(url + page, { headers: { host } })))
    return answers.map(({ status, body }) => (status === 200 ? status : (JSON.parse(body) as { code: string }).code))
  }
}

test('what is open to all is not open to a page whose name was made to mean this server', async (t) => {
  const answers = await start(t, { admin: { insecure: true, hosts: ['ops.example'] } })
  const all = pages.map(() => 200)
  assert.deepEqual(await answers('localhost:8080'), all)
  assert.deepEqual(await answers('ops.example'), all)
  assert.deepEqual(await answers('evil.example'), [
    'FST_BALANCER_ADMIN_UNKNOWN_HOST',
    'FST_BALANCER_DASHBOARD_UNKNOWN_HOST',
    'FST_BALANCER_DASHBOARD_UNKNOWN_HOST',
    'FST_BALANCER_METRICS_UNKNOWN_HOST',
  ])
})

test('where hooks say who asks, any name will do; figures have hosts of their own', async (t) => {
  const onRequest = async () => {}
  const guarded = await start(t, { admin: { onRequest } })
  assert.deepEqual(
    await guarded('lb.example'),
    pages.map(() => 200),
  )
  const listed = await start(t, { admin: { onRequest }, metrics: { hosts: ['figures.example'] } })
  assert.deepEqual((await listed('figures.example')).at(-1), 200)
  assert.deepEqual((await listed('lb.example')).at(-1), 'FST_BALANCER_METRICS_UNKNOWN_HOST')
})
