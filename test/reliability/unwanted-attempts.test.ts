import type { Attempt } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { request, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend, startRawBackend } from '../support/backend.ts'
import { until } from '../support/until.ts'

const never = () => {}
const overTls = (origin: string) => origin.replace('http:', 'https:')

describe('an answer that a retry has made unwanted', () => {
  test('and that drips has a time limit of its own', { timeout: 60_000 }, async (t) => {
    const dripping = await startBackend(t, (_, response) => {
      response.writeHead(503).write('x')
      const timer = setInterval(() => response.write('x'), 50)
      response.on('close', () => clearInterval(timer))
    })
    let held: ServerResponse | undefined
    const other = await startBackend(t, (_, response) => {
      response.writeHead(200).write('begun')
      held = response
    })
    const { app, url } = await startApp(t, {
      backends: [dripping.url, other.url],
      retry: { statuses: [503] },
    })
    const answer = ask(url)
    await until('the other one answers', () => held !== undefined)
    const [first] = app.balancer.backends
    assert.equal(first!.inFlight, 1)
    // The exchange goes on.
    await until('its place is free', () => first!.inFlight === 0)
    assert.deepEqual(first!.outcomes, { ok: 1 })
    held!.end()
    assert.equal((await answer).body, 'begun')
    await until('its connection is closed', () => dripping.sockets.size === 0)
  })

  test('ends with the exchange', { timeout: 60_000 }, async (t) => {
    const dripping = await startBackend(t, (_, response) => void response.writeHead(503).write('x'))
    const other = await startBackend(t, undefined, 'other')
    const { app, url } = await startApp(t, {
      backends: [dripping.url, other.url],
      retry: { statuses: [503] },
    })
    assert.equal((await ask(url)).body, 'other')
    await until('its place is free', () => app.balancer.backends[0]!.inFlight === 0)
    assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 1 })
  })

  test('and that is short keeps its connection', async (t) => {
    const refusing = await startBackend(t, (_, response) => void response.writeHead(503).end('busy'))
    const other = await startBackend(t, undefined, 'other')
    const { app, url } = await startApp(t, {
      backends: [refusing.url, other.url],
      retry: { statuses: [503] },
    })
    for (let count = 0; count < 4; count++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      assert.equal((await ask(url)).body, 'other')
      // oxlint-disable-next-line no-await-in-loop -- the same
      await until('nothing is in flight', () => app.balancer.backends.every(({ inFlight }) => inFlight === 0))
    }
    assert.equal(refusing.sockets.size, 1)
  })
})

describe('an attempt whose connection does not get ready', () => {
  test('leaves when its client does', async (t) => {
    const sockets: Socket[] = []
    const hanging = await startRawBackend(t, (socket) => void sockets.push(socket.resume()))
    const { app, url } = await startApp(t, { backends: [overTls(hanging)], timeouts: { connect: 0 } })
    const outgoing = request(url, { agent: false }).on('error', never).end()
    await until('it connects', () => sockets.length === 1)
    outgoing.destroy()
    const only = app.balancer.backends[0]!
    await until('its place is free', () => only.inFlight === 0)
    assert.deepEqual(only.outcomes, { 'client-gone': 1 })
    await until('the connection is given up', () => sockets[0]!.destroyed)
    assert.deepEqual(only.pool.stats, { connected: 0, free: 0, pending: 0, queued: 0, running: 0 })
  })

  test('leaves when its time is over', async (t) => {
    const sockets: Socket[] = []
    const hanging = await startRawBackend(t, (socket) => void sockets.push(socket.resume()))
    const { app, url } = await startApp(t, {
      backends: [overTls(hanging)],
      timeouts: { connect: 0, request: 100 },
    })
    assert.equal((await ask(url)).status, 504)
    assert.equal(app.balancer.backends[0]!.inFlight, 0)
    await until('the connection is given up', () => sockets[0]!.destroyed)
  })

  test('whatever its Pool waits for, has `timeouts.connect`', async (t) => {
    const other = await startBackend(t, (incoming, response) => void incoming.pipe(response))
    const { app, url } = await startApp(t, {
      backends: [
        { url: 'http://127.0.0.1:9', id: 'a' },
        { url: other.url, id: 'b' },
      ],
      timeouts: { connect: 200 },
    })
    const attempts: Attempt[] = []
    app.balancer.addHook('onAttemptEnd', (attempt) => void attempts.push(attempt))
    // A Pool that takes a request and never sends it, as undici's does while a backend allows no streams.
    Object.assign(app.balancer.backend('a').pool, { dispatch: () => true })
    const answer = await ask(url, { method: 'POST', body: 'whole' })
    assert.deepEqual([answer.status, answer.body], [200, 'whole'])
    assert.deepEqual(
      attempts.map(({ outcome }) => outcome),
      ['connect-timeout', 'ok'],
    )
  })
})

test('a connection that is free is used, and none is opened beside it', async (t) => {
  let connections = 0
  const backend = await startBackend(t, undefined, 'ok')
  backend.server.on('connection', () => connections++)
  const { url } = await startApp(t, { backends: [backend.url] })
  const rounds = 10
  const together = 5
  for (let round = 0; round < rounds; round++) {
    // oxlint-disable-next-line no-await-in-loop -- one round after the other
    await Promise.all(Array.from({ length: together }, () => ask(url)))
  }
  assert.ok(connections <= together, `${connections} connections`)
})
