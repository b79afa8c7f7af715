import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { listenApp } from '../support/app.ts'
import { LogLines } from '../support/log-lines.ts'
import { failOnCrash } from './no-crash.ts'
import { startWireBackend } from './wire-backend.ts'
import { exchange, get } from './wire-client.ts'

failOnCrash()

/** Valid by RFC 3986 §2.1, though not UTF-8. */
const foreign = [
  '/caf%E9',
  '/caf%e9/x?y=%E9',
  '/%FF%FE',
  '/%80',
  '/%C3',
  '/%C3%A9%E9',
  '/%ED%A0%80',
  '/%F5%80%80%80',
  '/a%E9b%2Fc%25d%25E9',
  '/x/%E9%20/',
  '/%C3%A9?%E9',
]

test('a path with escapes that are not UTF-8 crosses byte for byte', async (t) => {
  const backend = await startWireBackend(t)
  const app = Fastify()
  const seen: unknown[] = []
  app.addHook('onRequest', async ({ originalUrl }) => void seen.push(originalUrl))
  await app.register(balancer, { backends: [backend.url] })
  await app.register(balancer, { name: 'api', prefix: '/api', backends: [backend.url], rewrite: { stripPrefix: true } })
  app.get('/own/:name', (_request, reply) => reply.forward())
  const { port } = await listenApp(t, app)
  const paths = [...foreign, ...foreign.map((path) => `/own${path}`).filter((path) => !/own\/.*(?:\/|%2F)/.test(path))]
  for (const path of paths) {
    assert.equal((await exchange(t, port, get(path))).status, 200, path)
    assert.equal(backend.requests.at(-1)!.start, `GET ${path} HTTP/1.1`)
  }
  for (const path of foreign) {
    // In absolute-form, too.
    assert.equal((await exchange(t, port, get(`http://a.example${path}`))).status, 200, path)
    assert.equal(backend.requests.at(-1)!.start, `GET ${path} HTTP/1.1`)
  }
  for (const path of foreign) {
    assert.equal((await exchange(t, port, get(`/api${path}`))).status, 200, path)
    assert.equal(backend.requests.at(-1)!.start, `GET ${path} HTTP/1.1`)
  }
  // Hooks find what was asked for.
  const absolute = foreign.map((path) => `http://a.example${path}`)
  assert.deepEqual(seen, [...paths, ...absolute, ...foreign.map((path) => `/api${path}`)])
})

test('such a path does not pass a guard', async (t) => {
  const backend = await startWireBackend(t)
  const app = Fastify()
  await app.register(balancer, { backends: [backend.url] })
  app.all('/admin/*', { onRequest: async (_request, reply) => reply.code(401).send('no') }, (_request, reply) =>
    reply.forward(),
  )
  const { port } = await listenApp(t, app)
  assert.equal((await exchange(t, port, get('/admin/%E9'))).status, 401)
  for (const path of [
    '//admin/%E9',
    '/admin%2f%E9',
    '/%E9/../admin/x',
    '/%c0%ae%c0%ae/admin/x',
    '/%c0%afadmin/x',
    '/%c1%a1dmin/x',
  ])
    assert.equal((await exchange(t, port, get(path))).status, 400, path)
  assert.equal(backend.requests.length, 0)
})

test('what the router would refuse is refused where hooks, log and figures see it', async (t) => {
  const backend = await startWireBackend(t)
  const lines = new LogLines()
  const app = Fastify({ logger: { level: 'info', stream: lines.stream } })
  await app.register(balancer, { backends: [backend.url] })
  app.get('/own/:name', (_request, reply) => void reply.send('own'))
  const { port } = await listenApp(t, app)
  const targets = ['/x%', '/%', '/%zz', '/x%2', '/%E9%z', '/a%2fb%g1?x=%']
  targets.push('http://[::1/x', 'http://a.example/x#y', 'http://a.example/%zz', 'HTTP://a.example/x%2?y')
  for (const target of targets) assert.equal((await exchange(t, port, get(target))).status, 400, target)
  const told = lines.all.filter(({ msg }) => msg?.startsWith('not forwarded: bad-request'))
  assert.deepEqual(
    told.map(({ url }) => url),
    targets.map((target) => target.replace(/\?.*/, '')),
  )
  // The app's own routes are not given what is malformed.
  assert.equal((await exchange(t, port, get('/own/%zz'))).status, 400)
  assert.equal(backend.requests.length, 0)
})

test('on every listener of the app', async (t) => {
  const backend = await startWireBackend(t)
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { backends: [backend.url] })
  await app.listen({ port: 0, host: 'localhost' })
  for (const { address, port } of app.addresses() as AddressInfo[]) {
    const response = await fetch(`http://${address.includes(':') ? `[${address}]` : address}:${port}/caf%E9`)
    assert.equal(response.status, 200, address)
  }
})
