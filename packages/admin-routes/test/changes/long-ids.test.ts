import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyServerOptions } from 'fastify'
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask as overSocket } from '../../../../test/support/ask.ts'
import { LogLines } from '../../../../test/support/log-lines.ts'
import adminRoutes from '../../src/index.ts'
import { a } from '../stage.ts'

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
        [400, [`id: cannot be used in a path: longer than ${limit} characters (Fastify's maxParamLength)`]],
      )
      const host = `http://${'h'.repeat(60)}.${'h'.repeat(60)}`
      const both = await ask('PUT', list, { backends: [a, named(limit + 1), host] })
      assert.deepEqual(
        both.body.faults,
        [1, 2].map(
          (index) =>
            `backends.${index}.id: cannot be used in a path: longer than ${limit} characters (Fastify's maxParamLength)`,
        ),
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

describe('an id that clients cannot write into a path', () => {
  for (const [what, id, because] of [
    ['with half of a surrogate pair', '\ud800', 'it contains a lone surrogate'],
    ['with the other half, in the midst', 'a\udfffb', 'it contains a lone surrogate'],
    ['of one dot', '.', "clients remove '.' and '..' from paths"],
    ['of two dots', '..', "clients remove '.' and '..' from paths"],
  ] as const)
    test(`${what} is refused, and nothing is changed`, async (t) => {
      const { app, ask } = await start(t)
      const fault = `cannot be used in a path: ${because}`
      const one = await ask('POST', list, { id, url })
      assert.deepEqual([one.status, one.body.faults], [400, [`id: ${fault}`]])
      const whole = await ask('PUT', list, { backends: [a, { id, url }] })
      assert.deepEqual([whole.status, whole.body.faults], [400, [`backends.1.id: ${fault}`]])
      assert.deepEqual((await ask('POST', `${list}?dryRun=true`, { id, url })).body.faults, [`id: ${fault}`])
      assert.equal(app.balancer.set.revision, 1)
    })

  test('is one of its own: what only looks like it is taken, and found', async (t) => {
    const { app } = await start(t)
    const { url: base } = await listenApp(t, app)
    for (const id of ['...', '.a', '%2e', '\u{1f600}', 'a/../b']) {
      const added = await overSocket(`${base}${list}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id, url }),
      })
      assert.equal(added.status, 201, id)
      assert.equal((await overSocket(`${base}${String(added.headers.location)}`)).status, 200, id)
    }
  })
})

describe('a balancer that no path could name', () => {
  test('is told in the log at the start', async (t) => {
    const log = new LogLines()
    const app = Fastify({ logger: log })
    t.after(() => app.close())
    const names = ['n'.repeat(101), '..', 'n'.repeat(100)]
    for (const name of names) await app.register(balancer, { name, route: false, backends: ['http://127.0.0.1:1'] })
    await app.register(adminRoutes, { insecure: true })
    await app.ready()
    assert.deepEqual(
      log.all.filter(({ level, balancer: of }) => level === 40 && of !== undefined).map(({ msg }) => msg),
      [
        `balancer '${names[0]}': its name cannot be used in a path: longer than 100 characters (Fastify's maxParamLength)`,
        "balancer '..': its name cannot be used in a path: clients remove '.' and '..' from paths",
      ],
    )
  })
})
