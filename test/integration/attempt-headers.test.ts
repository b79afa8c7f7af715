import balancer, { type Attempt, type Policy } from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:http2'
import { Agent } from 'node:http'
import { test, type TestContext } from 'node:test'
import { listenApp, startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { listen, startBackend } from '../support/backend.ts'
import { LogLines } from '../support/log-lines.ts'
import { until } from '../support/until.ts'

const inOrder: Policy = {
  name: 'in-order',
  over: (available) => ({ pick: () => available[0], peek: () => available[0] }),
}

/** Every value of a field, as it arrived. */
function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === name)
}

/** Lets a subscriber set fields at the start of every attempt in this process. */
function onStart(t: TestContext, act: (attempt: Attempt) => void): void {
  const listener = (message: unknown) => act((message as { attempt: Attempt }).attempt)
  subscribe('balancer-core:attempt:start', listener)
  t.after(() => unsubscribe('balancer-core:attempt:start', listener))
}

for (const lane of ['raw', 'full'] as const) {
  test(`each attempt sends its own field, and no retry inherits it: ${lane} lane`, async (t) => {
    const broken = await startBackend(t, (request) => request.socket.destroy())
    const sound = await startBackend(t)
    const { app, url } = await startApp(t, { backends: [broken.url, sound.url], policy: inOrder, lane })
    // The first sets one more than the second.
    app.balancer.addHook('onAttemptStart', (attempt) => {
      if (attempt.number === 1) attempt.setHeader('x-first', 'only')
    })
    onStart(t, (attempt) => attempt.setHeader('X-Attempt', String(attempt.number)))
    const fields = ['host', 'a.test', 'x-ATTEMPT', 'from the client', 'X-First', 'own', 'x-attempt', 'b']
    assert.equal((await ask(url, { headers: fields })).status, 200)
    const seen = [broken, sound].map(({ received: [request] }) => [
      valuesOf(request!.rawHeaders, 'x-attempt'),
      valuesOf(request!.rawHeaders, 'x-first'),
    ])
    assert.deepEqual(seen, [
      [['1'], ['only']],
      [['2'], ['own']],
    ])
  })
}

test('what an attempt sends can be read while it may be set, with all fields of a name', async (t) => {
  const backend = await startBackend(t)
  const { app, url } = await startApp(t, { backends: [backend.url] })
  const read: unknown[] = []
  let begun: Attempt | undefined
  app.balancer.addHook('onAttemptStart', (attempt) => {
    begun = attempt
    read.push(...['COOKIE', 'x-one', 'x-none'].map((name) => attempt.getHeader(name)))
    attempt.setHeader('x-one', 'set')
    read.push(attempt.getHeader('X-One'))
  })
  await ask(url, { headers: ['host', 'a.test', 'Cookie', 'a=1', 'cookie', 'b=2', 'X-One', '1', 'x-one', '2'] })
  assert.deepEqual(read, ['a=1; b=2', '1, 2', undefined, 'set'])
  assert.throws(() => begun!.getHeader('x-one'), /only within onAttemptStart/)
})

test('it is sent with a second try on a fresh connection', async (t) => {
  // The second request of a connection finds it closed.
  const backend = await startBackend(t, (request, response) => {
    if (backend.received.filter(({ socket }) => socket === request.socket).length > 1) request.socket.destroy()
    else response.end('whole')
  })
  const { url } = await startApp(t, { backends: [backend.url] })
  onStart(t, (attempt) => attempt.setHeader('x-attempt', String(attempt.number)))
  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  for (const path of ['/first', '/second']) assert.equal((await ask(url + path, { agent })).body, 'whole')
  assert.deepEqual(
    backend.received.map(({ url: path, headers }) => [path, headers['x-attempt']]),
    [
      ['/first', '1'],
      ['/second', '1'],
      ['/second', '2'],
    ],
  )
})

test('it is sent over HTTP/2', async (t) => {
  const seen: unknown[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers['x-attempt'])
    response.end()
  })
  const origin = await listen(server)
  t.after(() => void server.close())
  const { url } = await startApp(t, { backends: [origin], pool: { protocol: 'h2c' } })
  onStart(t, (attempt) => attempt.setHeader('X-Attempt', 'ours'))
  assert.equal((await ask(url, { headers: { 'X-ATTEMPT': 'theirs' } })).status, 200)
  assert.deepEqual(seen, ['ours'])
})

test('what cannot be sent is refused where it is set: the request goes on, and no connection is lost', async (t) => {
  const backend = await startBackend(t)
  const lines = new LogLines()
  const app = Fastify({ logger: { level: 'error', stream: lines.stream } })
  await app.register(balancer, { backends: [backend.url], pool: { connections: 1 } })
  app.balancer.addHook('onAttemptStart', function injecting(attempt) {
    attempt.setHeader('x-own', 'a\r\nx-other: b')
  })
  app.balancer.addHook('onPick', function early(attempt) {
    attempt.setHeader('x-own', 'a')
  })
  app.balancer.addHook('onAttemptEnd', function late(attempt) {
    attempt.setHeader('x-own', 'a')
  })
  const { url } = await listenApp(t, app)
  for (let turn = 0; turn < 3; turn++) assert.equal((await ask(url)).body, 'backend')
  assert.ok(backend.received.every(({ headers }) => headers['x-own'] === undefined && headers['x-other'] === undefined))
  const threw = () => lines.all.flatMap(({ hook }) => (hook === undefined ? [] : [hook]))
  await until('all is logged', () => threw().length === 9)
  assert.deepEqual([...new Set(threw())], ['onPick early', 'onAttemptStart injecting', 'onAttemptEnd late'])
})
