import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import adminRoutes from '../../src/index.ts'
import { a } from '../stage.ts'

describe('below a prefix', () => {
  for (const [what, prefix, path] of [
    ['of a scope', '/inner', '/inner'],
    ['with a parameter', '/:tenant', '/blue%20one'],
    ['with more than Latin letters, and a space', '/管理 x', '/%E7%AE%A1%E7%90%86%20x'],
    ['with parameters that have to match', '/v:major(^\\d+)/:tenant', '/v2/blue'],
  ] as const)
    test(`${what}, the routes answer, and \`Location\` leads to what was added`, async (t) => {
      const app = Fastify()
      await app.register(
        async (scope) => {
          await scope.register(balancer, { backends: [a] })
          await scope.register(adminRoutes, { insecure: true })
        },
        { prefix },
      )
      const { url } = await listenApp(t, app)
      const list = `${path}/_balancer/balancers/default/backends`
      const added = await ask(url + list, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id: 'new one', url: 'http://127.0.0.1:2' }),
      })
      assert.equal(added.status, 201, added.body)
      assert.equal(added.headers.location, `${list}/new%20one`)
      const found = await ask(url + added.headers.location)
      assert.deepEqual([found.status, JSON.parse(found.body).id], [200, 'new one'])
      assert.equal((await ask(`${url}${path}/_balancer/balancers/nowhere`)).status, 404)
    })
})
