import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import adminRoutes from '../../src/index.ts'

const authorization = 'Bearer operator'

const onRequest = async (request: { readonly headers: { readonly authorization?: string | undefined } }) => {
  if (request.headers.authorization !== authorization) throw Object.assign(new Error('no'), { statusCode: 401 })
}

test('a balancer for one version, or one host, gets nothing of what is for the admin routes', async (t) => {
  const backend = await startBackend(t)
  const app = Fastify()
  for (const [name, constraints] of Object.entries({
    one: { version: '1.2.0' },
    same: { version: '1.2.0' },
    two: { version: '2.0.0', host: 'shop.test' },
    host: { host: 'only.test' },
  }))
    await app.register(balancer, {
      name,
      backends: [backend.url],
      constraints,
      prefix: name === 'same' ? '/same' : '/',
    })
  await app.register(adminRoutes, { onRequest })
  const { url } = await listenApp(t, app)

  const versions = [{ 'accept-version': '1.x' }, { 'accept-version': '2.x', host: 'shop.test' }]
  for (const headers of [...versions, { host: 'only.test' }]) {
    assert.equal((await ask(`${url}/anything`, { headers })).status, 200)
    for (const [method, path] of [
      ['GET', '/_balancer'],
      ['GET', '/_balancer/balancers'],
      ['PUT', '/_balancer/server/state'],
      ['DELETE', '/_balancer/nothing'],
      ['OPTIONS', '/_balancer/balancers'],
    ] as const)
      assert.equal((await ask(url + path, { method, headers })).status, 401, `${method} ${path}`)
  }
  const asked = backend.received.length
  for (const headers of versions) {
    const signedIn = { ...headers, authorization }
    assert.equal((await ask(`${url}/_balancer/balancers`, { headers: signedIn })).status, 404)
  }
  assert.equal((await ask(`${url}/_balancer/balancers`, { headers: { authorization } })).status, 200)
  assert.equal(backend.received.length, asked)
  assert.equal(
    backend.received.every(({ url: path }) => path === '/anything'),
    true,
  )
})

test('a balancer that comes later, and would take them, is refused', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { backends: ['http://127.0.0.1:1'] })
  await app.register(adminRoutes, { onRequest })
  await app.register(balancer, { name: 'host', backends: [], constraints: { host: 'a.test' } })
  await app.register(balancer, { name: 'no route', backends: [], constraints: { version: '1.0.0' }, route: false })
  await app.register(balancer, { name: 'late', backends: [], constraints: { version: '1.0.0' } })
  await assert.rejects(async () => app.ready(), {
    code: 'FST_BALANCER_ADMIN_BAD_OPTIONS',
    message: /'late' has constraints/,
  })
})
