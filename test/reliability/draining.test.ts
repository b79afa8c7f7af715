import type { Balancer, BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackend, startRawBackend } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { until } from '../support/until.ts'

/** Two backends: `a` holds what asks for `/held`, `b` answers. */
async function start(t: TestContext, options: BalancerOptions = {}) {
  const held: ServerResponse[] = []
  const a = await startBackend(t, (incoming, response) => {
    if (incoming.url === '/held') held.push(response)
    else response.end('a')
  })
  const b = await startBackend(t, undefined, 'b')
  const { app, url } = await startApp(t, {
    backends: [
      { url: a.url, id: 'a' },
      { url: b.url, id: 'b' },
    ],
    failureHeader: true,
    timeouts: { headers: 0, idle: 0 },
    ...options,
  })
  const { balancer } = app
  return {
    a,
    url,
    held,
    balancer,
    backend: balancer.backend('a'),
    /** Has one request under way at `a`, which must not be repeated. */
    async hold(method = 'POST') {
      const closed = balancer.veto(balancer.backend('b'), { by: 'test', reason: 'so that a is asked', hard: true })
      const answer = ask(`${url}/held`, { method })
      const goal = held.length + 1
      await until('it is under way', () => held.length === goal)
      closed.lift()
      return { answer }
    },
  }
}

const forever = { deadline: 0 }

test('a backend is drained once what it had is finished', async (t) => {
  const { a, url, held, balancer, backend, hold } = await start(t)
  const { answer } = await hold()
  let drained: boolean | undefined
  const drain = balancer.drain('a').then((idle) => (drained = idle))
  assert.deepEqual([backend.state, backend.available, balancer.set.all.length], ['drain', false, 2])
  for (let count = 0; count < 4; count++) assert.equal((await ask(url)).body, 'b')
  assert.equal(drained, undefined)
  held[0]!.end('finished')
  assert.equal((await answer).body, 'finished')
  await drain
  assert.equal(drained, true)
  assert.equal(a.received.length, 1)

  balancer.ready('a')
  assert.deepEqual([backend.state, backend.available], ['ready', true])
  assert.deepEqual(new Set([(await ask(url)).body, (await ask(url)).body]), new Set(['a', 'b']))
})

test('an idle backend is drained at once', async (t) => {
  const { balancer, backend } = await start(t)
  assert.equal(await balancer.drain('a'), true)
  assert.equal(backend.state, 'drain')
})

test('what is left when the deadline comes is cut, and nothing before', async (t) => {
  const clock = new ManualClock()
  const { url, balancer, backend, hold } = await start(t, { clock, drainDeadline: 5000 })
  const answers = [(await hold('POST')).answer, (await hold('POST')).answer]
  const drain = balancer.drain('a', { deadline: 800 })
  clock.advance(799)
  assert.equal(backend.inFlight, 2)
  clock.advance(1)
  assert.equal(await drain, false)
  for (const answer of answers) {
    const { status, headers } = await answer
    assert.deepEqual([status, headers['x-balancer-failure'], headers['retry-after']], [503, 'drain-deadline', '1'])
  }
  assert.equal(backend.inFlight, 0)
  assert.deepEqual(backend.outcomes, { 'drain-deadline': 2 })
  // It stays where it is, drained, and can be taken back.
  assert.deepEqual([backend.state, balancer.set.all.length], ['drain', 2])
  balancer.ready('a')
  assert.deepEqual(new Set([(await ask(url)).body, (await ask(url)).body]), new Set(['a', 'b']))
})

test('what may be repeated is asked of another when the deadline cuts it', async (t) => {
  const { balancer, backend, hold } = await start(t)
  const { answer } = await hold('GET')
  assert.equal(await balancer.drain('a', { deadline: 1 }), false)
  assert.deepEqual([(await answer).status, (await answer).body], [200, 'b'])
  assert.deepEqual(backend.outcomes, { 'drain-deadline': 1 })
})

/** What an operator does to take a backend out, without waiting for it. */
const orders: Record<string, (balancer: Balancer) => Promise<unknown>> = {
  maintain: (balancer) => balancer.maintain('a'),
  'drain with a deadline': (balancer) => balancer.drain('a', { deadline: 1 }),
  'remove with a deadline': (balancer) => balancer.remove('a', { deadline: 1 }),
}

for (const [order, give] of Object.entries(orders)) {
  for (const kind of ['with a small body', 'whose body is under way']) {
    test(`what a hanging TLS handshake has held goes elsewhere: ${order}, a POST ${kind}`, async (t) => {
      const sockets: Socket[] = []
      const hanging = await startRawBackend(t, (socket) => void sockets.push(socket.resume()))
      const { url, balancer } = await start(t, {
        backends: [{ url: hanging.replace('http:', 'https:'), id: 'a' }],
        timeouts: { connect: 0, headers: 0, idle: 0 },
      })
      const b = await startBackend(t, (incoming, response) => void incoming.pipe(response))
      const backend = balancer.backend('a')
      const streamed = kind === 'with a small body' ? undefined : new Readable({ read() {} })
      streamed?.push('sm')
      const answer = ask(url, { method: 'POST', body: streamed ?? 'small' })
      await until('it connects', () => sockets.length === 1)
      await balancer.add({ url: b.url, id: 'b' })
      await give(balancer)
      streamed?.push('all')
      streamed?.push(null)
      assert.deepEqual([(await answer).status, (await answer).body], [200, 'small'])
      assert.deepEqual(backend.outcomes, { 'drain-deadline': 1 })
      await until('the connection is given up', () => sockets[0]!.destroyed)
    })
  }
}

test('the deadline is that of the options where none is given, and 0 is none', async (t) => {
  const clock = new ManualClock()
  const { held, balancer, backend, hold } = await start(t, { clock, drainDeadline: 5000 })
  const first = await hold()
  const patient = balancer.drain('a', forever)
  clock.advance(4999)
  assert.equal(backend.inFlight, 1)
  clock.advance(1_000_000)
  assert.equal(backend.inFlight, 1)
  held[0]!.end('finished')
  assert.deepEqual([await patient, (await first.answer).body], [true, 'finished'])

  balancer.ready('a')
  const second = await hold('POST')
  const impatient = balancer.drain('a')
  clock.advance(4999)
  assert.equal(backend.inFlight, 1)
  clock.advance(1)
  assert.deepEqual([await impatient, (await second.answer).status], [false, 503])
})

test('draining twice is draining once', async (t) => {
  const { held, balancer, backend, hold } = await start(t)
  const { answer } = await hold()
  const drains = [balancer.drain('a'), balancer.drain('a')]
  assert.equal(backend.vetoes.length, 1)
  held[0]!.end('finished')
  assert.deepEqual(await Promise.all(drains), [true, true])
  assert.equal((await answer).status, 200)
})

test('a backend that is taken back before its deadline is not cut', async (t) => {
  const clock = new ManualClock()
  const { held, balancer, backend, hold } = await start(t, { clock })
  const { answer } = await hold()
  const drain = balancer.drain('a', { deadline: 1000 })
  balancer.ready('a')
  clock.advance(1000)
  await drain
  assert.equal(backend.inFlight, 1)
  held[0]!.end('finished')
  assert.equal((await answer).body, 'finished')
})

/** A backend that answers the first request of all, closes the connection on the second, and then answers nobody. */
async function startForgetful(t: TestContext) {
  const requests: Socket[] = []
  const origin = await startRawBackend(t, (socket) => {
    socket.on('data', () => {
      requests.push(socket)
      if (requests.length === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    })
  })
  return { origin, requests }
}

test('what goes on over a connection of its own is cut like the rest when the deadline comes', async (t) => {
  const { origin, requests } = await startForgetful(t)
  const { app, url } = await startApp(t, {
    backends: [{ url: origin, id: 'a' }],
    pool: { connections: 1 },
    failureHeader: true,
  })
  const { balancer } = app
  assert.equal((await ask(url)).body, 'ok')
  const answer = ask(url)
  await until('it has arrived', () => requests.length === 2)
  // The kept connection turns out to be closed, and a new one takes its place.
  requests[1]!.destroy()
  await until('it has arrived again', () => requests.length === 3)
  assert.notEqual(requests[2], requests[1])
  assert.equal(await balancer.drain('a', { deadline: 50 }), false)
  await until('nothing is in flight', () => balancer.backend('a').inFlight === 0)
  assert.equal((await answer).headers['x-balancer-failure'], 'drain-deadline')
})

test('what goes on over a connection of its own does not keep the app from closing', async (t) => {
  const { origin, requests } = await startForgetful(t)
  const { app, url } = await startApp(t, { backends: [origin], pool: { connections: 1 }, drainDeadline: 50 })
  assert.equal((await ask(url)).body, 'ok')
  const answer = ask(url)
  await until('it has arrived', () => requests.length === 2)
  requests[1]!.destroy()
  await until('it has arrived again', () => requests.length === 3)
  let closed = false
  void app.close().then(() => (closed = true))
  await until('the app is closed', () => closed)
  assert.equal((await answer).status, 503)
  await until('nothing is in flight', () => app.balancer.exchanges === 0)
})

test('a kept connection that turns out to be closed is not replaced at a backend that is being drained', async (t) => {
  const { origin, requests } = await startForgetful(t)
  const b = await startBackend(t, undefined, 'b')
  const { app, url } = await startApp(t, {
    backends: [
      { url: origin, id: 'a' },
      { url: b.url, id: 'b', priority: 1 },
    ],
    pool: { connections: 1 },
  })
  assert.equal((await ask(url)).body, 'ok')
  const answer = ask(url)
  await until('it has arrived', () => requests.length === 2)
  const drained = app.balancer.drain('a', forever)
  requests[1]!.destroy()
  await until('it has gone on, one way or the other', () => requests.length === 3 || b.received.length === 1)
  assert.equal(requests.length, 2)
  assert.equal((await answer).body, 'b')
  assert.equal(await drained, true)
})

test('a drained backend is not used even when there is no other', async (t) => {
  const { url, balancer } = await start(t)
  await Promise.all([balancer.drain('a'), balancer.drain('b')])
  assert.equal((await ask(url)).status, 503)
  assert.equal(balancer.set.panicking, false)
})
