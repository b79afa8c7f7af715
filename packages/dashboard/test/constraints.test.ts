import adminRoutes from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenApp } from '../../../test/support/app.ts'
import { ask } from '../../../test/support/ask.ts'
import { startBackend } from '../../../test/support/backend.ts'
import dashboard from '../src/index.ts'

const authorization = 'Bearer word'

const onRequest = async (request: { readonly headers: { readonly authorization?: string | undefined } }) => {
  if (request.headers.authorization !== authorization) throw Object.assign(new Error('no'), { statusCode: 401 })
}

for (const [where, prefix] of [
  ['at a path of its own', ''],
  ['in a scope with a prefix', '/in'],
] as const)
  test(`a balancer for one version, or one host, gets nothing of what is for the page ${where}`, async (t) => {
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
    await app.register(
      async (scope) => {
        await scope.register(adminRoutes, { onRequest })
        await scope.register(dashboard, { path: '/ops', onRequest })
      },
      { prefix },
    )
    const { url } = await listenApp(t, app)

    const versions = [{ 'accept-version': '1.x' }, { 'accept-version': '2.x', host: 'shop.test' }]
    for (const headers of [...versions, { host: 'only.test' }]) {
      assert.equal((await ask(`${url}/anything`, { headers })).status, 200)
      for (const [method, path] of [
        ['GET', '/ops'],
        ['GET', '/ops/'],
        ['HEAD', '/ops/index.html'],
        ['GET', '/ops/settings.json'],
        ['GET', '/ops/nothing'],
        ['POST', '/ops/'],
        ['OPTIONS', '/ops/settings.json'],
        ['PROPFIND', '/ops/'],
      ] as const)
        assert.equal((await ask(url + prefix + path, { method, headers })).status, 401, `${method} ${path}`)
    }
    const status = async (headers: Readonly<Record<string, string>>) =>
      (await ask(`${url}${prefix}/ops/`, { headers: { ...headers, authorization } })).status
    for (const headers of versions) assert.equal(await status(headers), 404)
    for (const headers of [{ host: 'only.test' }, {}]) assert.equal(await status(headers), 200)
    assert.deepEqual(new Set(backend.received.map(({ url: path }) => path)), new Set(['/anything']))
  })
