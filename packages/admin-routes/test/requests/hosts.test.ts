import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { connect } from 'node:http2'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { rawClient } from '../../../../test/support/raw.ts'
import adminRoutes, { type AdminRoutesOptions } from '../../src/index.ts'

const backends = '/_balancer/balancers/default/backends'

async function start(t: TestContext, admin: AdminRoutesOptions, app: FastifyInstance = Fastify()) {
  await app.register(balancer, { backends: [{ id: 'a', url: 'http://127.0.0.1:1' }] })
  await app.register(adminRoutes, admin)
  return listenApp(t, app)
}

const own = [
  'localhost',
  'LOCALHOST:8080',
  'localhost.',
  '127.0.0.1',
  '127.0.0.1:1',
  '10.0.0.1',
  '[::1]',
  '[fd00::1]:80',
]
const strange = [
  'evil.example',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '127.0.0.1.nip.io:8080',
  'evil-localhost',
  'localhost@evil.example',
  'evil.example#localhost',
]

test('without authentication, whoever asks by a stranger’s name is refused (DNS rebinding)', async (t) => {
  const { url, app } = await start(t, { insecure: true, openProbes: true })
  for (const host of own) assert.equal((await ask(url + backends, { headers: { host } })).status, 200, host)
  for (const host of strange) {
    const { status, body } = await ask(url + backends, { headers: { host } })
    assert.deepEqual([status, JSON.parse(body).code], [403, 'FST_BALANCER_ADMIN_UNKNOWN_HOST'], host)
  }
  const headers = { host: 'evil.example' }
  for (const [method, path] of [
    ['GET', '/balancers'],
    ['HEAD', '/balancers'],
    ['GET', '/balancers/default'],
    ['GET', '/events'],
    ['GET', '/operator'],
    ['GET', '/server'],
    ['GET', '/ready'],
    ['GET', '/live'],
    ['GET', '/nothing'],
    ['OPTIONS', '/balancers'],
    ['POST', '/balancers/default/explain'],
    ['DELETE', '/balancers/default/backends/a'],
    ['PUT', '/balancers/default/backends/a/state'],
  ] as const)
    assert.equal((await ask(`${url}/_balancer${path}`, { method, headers })).status, 403, `${method} ${path}`)
  const { body } = await ask(url + backends, { headers })
  assert.match(JSON.parse(body).message, /'evil\.example' .*localhost.*'hosts'/)
  assert.equal(app.balancer.backends.length, 1)
})

test('a page whose name was made to mean this server changes nothing, though it is of the same origin', async (t) => {
  const { url, app } = await start(t, { insecure: true })
  const headers = { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' }
  assert.equal((await ask(`${url}${backends}/a`, { method: 'DELETE', headers })).status, 403)
  assert.equal(app.balancer.backends.length, 1)
})

test('names that are listed may be asked for, in every spelling', async (t) => {
  const { url } = await start(t, { insecure: true, hosts: ['Ops.Example.', 'bücher.example', 'one.example:8443'] })
  const status = async (host: string) => (await ask(url + backends, { headers: { host } })).status
  for (const host of ['ops.example', 'OPS.example:99', 'ops.example.', 'xn--bcher-kva.example', 'one.example:8443'])
    assert.equal(await status(host), 200, host)
  for (const host of ['one.example', 'one.example:80', 'other.example', 'x.ops.example'])
    assert.equal(await status(host), 403, host)
  const origin = { host: 'ops.example', origin: 'http://ops.example' }
  assert.equal((await ask(`${url}${backends}/a?dryRun=true`, { method: 'DELETE', headers: origin })).status, 200)
})

test('a hook that authenticates makes it needless; one that looks at addresses only takes `hosts`', async (t) => {
  const onRequest = async () => {}
  const headers = { host: 'lb.example' }
  const signed = await start(t, { onRequest })
  assert.equal((await ask(signed.url + backends, { headers })).status, 200)
  const local = await start(t, { onRequest, hosts: [] })
  assert.equal((await ask(local.url + backends, { headers })).status, 403)
  assert.equal((await ask(local.url + backends)).status, 200)
})

test('where a proxy is trusted, both names count: what it says, and what it was asked', async (t) => {
  const { url } = await start(t, { insecure: true, hosts: ['ops.example'] }, Fastify({ trustProxy: true }))
  const status = async (headers: Record<string, string>) => (await ask(url + backends, { headers })).status
  assert.equal(await status({ host: 'evil.example', 'x-forwarded-host': 'localhost' }), 403)
  assert.equal(await status({ host: 'localhost', 'x-forwarded-host': 'evil.example' }), 403)
  assert.equal(await status({ host: '127.0.0.1:1', 'x-forwarded-host': 'ops.example' }), 200)
})

test('who names nobody is refused (HTTP/1.0)', async (t) => {
  const { port } = await start(t, { insecure: true })
  const client = await rawClient(t, port)
  client.send('GET /_balancer/balancers HTTP/1.0\r\n\r\n')
  assert.match(await client.closed(), /^HTTP\/1\.1 403 /)
})

test('over HTTP/2, the authority is the name', async (t) => {
  const { url } = await start(t, { insecure: true }, Fastify({ http2: true }) as unknown as FastifyInstance)
  const session = connect(url)
  t.after(() => session.destroy())
  for (const [authority, expected] of [
    ['evil.example', 403],
    ['localhost:1', 200],
  ] as const) {
    const request = session.request({ ':path': backends, ':authority': authority })
    const status = await new Promise((resolve) => request.on('response', (fields) => resolve(fields[':status'])))
    request.close()
    assert.equal(status, expected)
  }
})

describe('at boot', () => {
  for (const host of ['https://ops.example', 'ops.example/', 'a b', '*.example', 'user:secret@ops.example'])
    test(`${host} is no name`, async (t) => {
      await assert.rejects(start(t, { insecure: true, hosts: [host] }), ({ message }: Error) => {
        assert.match(message, /hosts\.0: .* is not a host such as ops\.example/)
        assert.doesNotMatch(message, /secret/)
        return true
      })
    })
})
