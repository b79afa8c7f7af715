import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyServerOptions } from 'fastify'
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import adminRoutes from '../src/index.ts'
import { a } from './stage.ts'

const url = 'http://127.0.0.1:9'
const list = '/_balancer/balancers/default/backends'
const named = (length: number) => ({ id: 'n'.repeat(length), url })
const long = named(150)

async function start(t: TestContext, server: FastifyServerOptions = {}) {
  const app = Fastify(server)
  t.after(() => app.close())
  await app.register(balancer, { backends: [a, long] })
  await app.register(adminRoutes, { insecure: true })
  const ask = async (method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, payload?: object) => {
    const answer = await app.inject({ method, url: path, ...(payload !== undefined && { payload }) })
    return { status: answer.statusCode, body: answer.json() }
  }
  return { app, ask }
}

describe('an id that no path could name', () => {
  const limits = {
    '100, if not set': [{}, 100],
    'the one of the app': [{ routerOptions: { maxParamLength: 120 } }, 120],
  } as const
  for (const [what, [server, limit]] of Object.entries<readonly [FastifyServerOptions, number]>(limits))
    test(`is refused; the limit is ${what}`, async (t) => {
      const { app, ask } = await start(t, server)
      const refused = await ask('POST', list, named(limit + 1))
      assert.deepEqual(
        [refused.status, refused.body.faults],
        [400, [`id: no path could name it, for it is longer than ${limit}`]],
      )
      const host = `http://${'h'.repeat(60)}.${'h'.repeat(60)}`
      const both = await ask('PUT', list, { backends: [a, named(limit + 1), host] })
      assert.deepEqual(
        both.body.faults,
        [1, 2].map((index) => `backends.${index}.id: no path could name it, for it is longer than ${limit}`),
      )
      assert.equal(app.balancer.set.revision, 1)
      const longest = named(limit)
      assert.equal((await ask('POST', list, longest)).status, 201)
      assert.equal((await ask('GET', `${list}/${longest.id}`)).status, 200)
      assert.notEqual((await ask('GET', `${list}/${named(limit + 1).id}`)).status, 200)
    })

  test('may come from the app itself, and stay, and come back', async (t) => {
    const { app, ask } = await start(t)
    const before = await ask('GET', list)
    assert.equal(before.body.backends[1].id, long.id)
    assert.equal((await ask('PUT', list, { backends: [{ ...a, weight: 3 }, long] })).status, 200)
    assert.equal((await ask('PUT', list, { backends: [a] })).status, 200)
    assert.equal((await ask('POST', '/_balancer/balancers/default/rollback', { revision: 1 })).status, 200)
    assert.equal(app.balancer.backends[1]!.id, long.id)
  })
})
