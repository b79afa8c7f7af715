import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackends } from '../support/backend.ts'
import { LogLines } from '../support/log-lines.ts'

const unknown = { code: 'FST_BALANCER_UNKNOWN_BALANCER' }

test('several balancers share an app, each with its prefix, beside the routes of the app', async (t) => {
  const [api, files, rest] = await startBackends(t, 'api', 'files', 'rest')
  const app = Fastify()
  await app.register(balancer, { name: 'api', prefix: '/api', backends: [api!.url] })
  await app.register(balancer, { name: 'files', prefix: '/api/files', backends: [files!.url] })
  await app.register(balancer, { backends: [rest!.url] })
  app.get('/api/own', async () => 'own')
  const { url } = await listenApp(t, app)
  for (const [path, expected] of [
    ['/api/x', 'api'],
    ['/api', 'api'],
    ['/api/files/x', 'files'],
    ['/api/own', 'own'],
    ['/apis', 'rest'],
    ['/', 'rest'],
  ] as const)
    assert.equal((await ask(url + path)).body, expected, path)
  // Another method of a path that the app has is nobody's but the balancer's.
  assert.equal((await ask(`${url}/api/own`, { method: 'DELETE' })).body, 'api')
  assert.deepEqual([...app.balancers.keys()], ['api', 'files', 'default'])
  assert.equal(app.balancer, app.balancers.get('default'))
  assert.deepEqual(
    [...app.balancers.values()].map(({ backends }) => backends[0]!.requests),
    [3, 1, 2],
  )
})

test('several balancers share a path, each with its host', async (t) => {
  const [one, two, rest] = await startBackends(t, 'one', 'two', 'rest')
  const app = Fastify()
  await app.register(balancer, { name: 'one', constraints: { host: 'one.example' }, backends: [one!.url] })
  await app.register(balancer, { name: 'two', constraints: { host: /\.two\.example$/ }, backends: [two!.url] })
  await app.register(balancer, { name: 'rest', backends: [rest!.url] })
  const { url } = await listenApp(t, app)
  for (const [host, expected] of [
    ['one.example', 'one'],
    ['a.two.example', 'two'],
    ['b.two.example', 'two'],
    ['three.example', 'rest'],
  ] as const) {
    assert.equal((await ask(url, { headers: { host } })).body, expected, host)
    assert.equal((await ask(`${url}/deep/path`, { method: 'POST', headers: { host }, body: 'x' })).body, expected, host)
  }
})

test('every scope sees every balancer of its server', async (t) => {
  const [one, two] = await startBackends(t, 'one', 'two')
  const app = Fastify()
  await app.register(async (scope) => {
    await scope.register(balancer, { name: 'one', route: false, backends: [one!.url] })
    scope.get('/one', (_request, reply) => reply.forward({ balancer: 'two' }))
  })
  await app.register(async (scope) => {
    await scope.register(balancer, { name: 'two', route: false, backends: [two!.url] })
    scope.get('/two', (_request, reply) => reply.forward({ balancer: 'one' }))
    assert.deepEqual([...scope.balancers.keys()], ['one', 'two'])
  })
  const { url } = await listenApp(t, app)
  assert.deepEqual([(await ask(`${url}/one`)).body, (await ask(`${url}/two`)).body], ['two', 'one'])
})

test('the balancers of one server are not those of another', async (t) => {
  const [one, two] = await startBackends(t, 'one', 'two')
  for (const backend of [one!, two!]) {
    const app = Fastify()
    await app.register(balancer, { name: 'same', backends: [backend.url] })
    const { url } = await listenApp(t, app)
    assert.equal((await ask(url)).body, backend === one ? 'one' : 'two')
    assert.equal(app.balancers.size, 1)
  }
})

test('the only one is the default one, whatever its name; of several, one must be called so', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { name: 'only', route: false })
  assert.equal(app.balancer.name, 'only')
  await app.register(balancer, { name: 'other', route: false })
  assert.throws(() => app.balancer, { ...unknown, message: /only, other/ })
  await app.register(balancer, { route: false })
  assert.equal(app.balancer.name, 'default')
})

test('a name that is taken fails at boot, and the error says which', async (t) => {
  for (const [first, second, name] of [
    [{ name: 'api', prefix: '/a' }, { name: 'api', prefix: '/b' }, 'api'],
    [{ prefix: '/a' }, { prefix: '/b' }, 'default'],
  ] satisfies [BalancerOptions, BalancerOptions, string][]) {
    const flat = Fastify()
    t.after(() => flat.close())
    void flat.register(balancer, first)
    void flat.register(balancer, second)
    await assert.rejects(async () => flat.ready(), {
      code: 'FST_BALANCER_BAD_OPTIONS',
      message: new RegExp(`'${name}'`),
    })

    const scoped = Fastify()
    t.after(() => scoped.close())
    void scoped.register(async (scope) => scope.register(balancer, first).after())
    void scoped.register(async (scope) => scope.register(balancer, second).after())
    await assert.rejects(async () => scoped.ready(), { code: 'FST_BALANCER_BAD_OPTIONS' })
  }
})

test('two balancers that would answer the same requests fail at boot', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  void app.register(balancer, { name: 'one' })
  void app.register(balancer, { name: 'two' })
  await assert.rejects(async () => app.ready(), {
    code: 'FST_BALANCER_BAD_OPTIONS',
    message:
      "Bad balancer options: prefix: '/' is already taken by balancer 'one': choose another `prefix`, or other `constraints`",
  })
})

test('one line says what a second balancer must have of its own, within a scope, too', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  void app.register(
    async (scope) => {
      await scope.register(balancer, { prefix: '/b/' })
    },
    { prefix: '/a' },
  )
  void app.register(balancer, { prefix: '/a/b' })
  await assert.rejects(
    async () => app.ready(),
    /name: 'default' is already [^\n;]*; prefix: '\/a\/b' is already [^\n;]*$/,
  )
})

test('a prefix that a route of the app has is named, and one without routes takes none', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  app.get('/a/*', async () => 'own')
  await app.register(balancer, { name: 'one', prefix: '/a', route: false })
  await app.register(balancer, { name: 'two', prefix: '/b' })
  await app.register(balancer, { name: 'three', prefix: '/b', route: false })
  await app.register(balancer, { name: 'four', prefix: '/b', constraints: { host: 'b.test' } })
  await assert.rejects(async () => app.register(balancer, { name: 'five', prefix: '/a' }), {
    code: 'FST_BALANCER_BAD_OPTIONS',
    message: /prefix: '\/a' is already taken by a route of your own/,
  })
})

test('a balancer without backends warns once the app is ready, unless it has some by then', async (t) => {
  const log = new LogLines()
  const app = Fastify({ logger: log })
  t.after(() => app.close())
  await app.register(balancer, { name: 'empty', prefix: '/a', backends: [] })
  await app.register(balancer, { name: 'filled', prefix: '/b' })
  await app.balancers.get('filled')!.setBackends(['http://127.0.0.1:1'])
  await app.ready()
  const warnings = log.all.filter(({ level }) => level === 40)
  assert.deepEqual(
    warnings.map((line) => [line['balancer'], line.msg?.slice(0, 32)]),
    [['empty', 'balancer empty has no backends: ']],
  )
})

test('each balancer counts, holds and closes for itself', async (t) => {
  const [one, two] = await startBackends(t, 'one', 'two')
  const app = Fastify()
  await app.register(balancer, { name: 'one', prefix: '/one', backends: [{ url: one!.url, id: 'same' }] })
  await app.register(balancer, { name: 'two', prefix: '/two', backends: [{ url: two!.url, id: 'same' }] })
  const { url } = await listenApp(t, app)
  const [first, second] = [...app.balancers.values()]
  first!.veto(first!.backend('same'), { by: 'test', reason: 'closed', hard: true })
  assert.deepEqual([(await ask(`${url}/one`)).status, (await ask(`${url}/two`)).status], [503, 200])
  assert.deepEqual([first!.backend('same').requests, second!.backend('same').requests], [0, 1])
})
