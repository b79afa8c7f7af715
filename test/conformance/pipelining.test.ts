import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { listenApp, startApp } from '../support/app.ts'
import { startBackend, unusedOrigin } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { unchanged, until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend, type WireConnection } from './wire-backend.ts'
import { get, post, wireClient } from './wire-client.ts'

failOnCrash()

/** The path that a request asks for. */
const pathOf = ({ start }: { readonly start: string }) => start.split(' ')[1]!

for (const lane of ['raw', 'full'] as const) {
  describe(`pipelined requests (${lane} lane)`, () => {
    test('are forwarded one at a time, though another backend is idle', async (t) => {
      const waiting: WireConnection[] = []
      const hold = (_request: unknown, connection: WireConnection) => void waiting.push(connection)
      const first = await startWireBackend(t, hold)
      const second = await startWireBackend(t, hold)
      const { app, port } = await startApp(t, { backends: [first.url, second.url], lane })
      const started: string[] = []
      app.balancer.addHook('onAttemptStart', ({ exchange }) => void started.push(exchange.url))
      const client = await wireClient(t, port)
      client.send(get('/1') + get('/2') + get('/3'))
      for (const [index, target] of ['/1', '/2', '/3'].entries()) {
        await until('it is its turn', () => waiting.length === 1)
        assert.deepEqual(started, ['/1', '/2', '/3'].slice(0, index + 1))
        assert.equal(app.balancer.exchanges, 1)
        waiting.pop()!.send(ok(target))
        assert.equal((await client.response()).body, target)
      }
      assert.equal(client.rest, '')
    })

    test('are answered in order when they come with bodies', async (t) => {
      const backend = await startWireBackend(t, (request, connection) => connection.send(ok(request.body)))
      const { port } = await startApp(t, { backends: [backend.url], lane })
      const client = await wireClient(t, port)
      const bodies = Array.from({ length: 8 }, (_, index) => `body ${index}`)
      client.send(bodies.map((body) => post(body)).join(''))
      for (const body of bodies) assert.equal((await client.response()).body, body)
      assert.equal(client.rest, '')
    })

    test('begin after an answer of the app itself, and it after theirs', async (t) => {
      const backend = await startWireBackend(t, (request, connection) => connection.send(ok(pathOf(request))))
      const app = Fastify()
      const own: (() => void)[] = []
      app.get('/own', (_request, reply) => void own.push(() => void reply.send('own')))
      await app.register(balancer, { backends: [backend.url], lane })
      const { port } = await listenApp(t, app)
      const client = await wireClient(t, port)
      client.send(get('/own') + get('/1') + get('/own') + get('/2'))
      await until('its route is asked', () => own.length > 0)
      assert.deepEqual(backend.requests, [])
      own[0]!()
      assert.equal((await client.response()).body, 'own')
      assert.equal((await client.response()).body, '/1')
      own[1]!()
      assert.equal((await client.response()).body, 'own')
      assert.equal((await client.response()).body, '/2')
    })

    test('have their time limits from when they begin', async (t) => {
      const clock = new ManualClock()
      const held: WireConnection[] = []
      const backend = await startWireBackend(t, (_request, connection) => void held.push(connection))
      const timeouts = { request: 1000 }
      const { port } = await startApp(t, { backends: [backend.url], timeouts, lane, clock })
      const client = await wireClient(t, port)
      client.send(get('/1') + get('/2') + get('/3'))
      await until('the first has been sent', () => held.length === 1)
      clock.advance(900)
      held[0]!.send(ok('first'))
      assert.equal((await client.response()).body, 'first')
      await until('the second has been sent', () => held.length === 2)
      clock.advance(900)
      held[1]!.send(ok('second'))
      assert.equal((await client.response()).body, 'second')
      await until('the third has been sent', () => held.length === 3)
      clock.advance(1000)
      assert.equal((await client.response()).status, 504)
    })

    test('are all answered, however many a client sends at once', async (t) => {
      const backend = await startBackend(t, ({ url }, response) => response.end(url))
      const pool = { connections: 4 }
      const { app, port } = await startApp(t, { backends: [backend.url], pool, queue: { max: 2 }, lane })
      let most = 0
      app.balancer.addHook('onAttemptStart', ({ backend: { inFlight } }) => void (most = Math.max(most, inFlight)))
      const client = await wireClient(t, port)
      const targets = Array.from({ length: 3000 }, (_, index) => `/${index}`)
      client.send(targets.map((target) => get(target)).join(''))
      const received = await client.until(/\/2999$/)
      assert.deepEqual(
        received
          .split('\r\n\r\n')
          .slice(1)
          .map((text) => text.replace(/HTTP[^]*/, '')),
        targets,
      )
      assert.equal(most, 1)
    })

    test('are not read without end while they wait, and are answered all the same', async (t) => {
      let slow: ServerResponse | undefined
      const backend = await startBackend(t, ({ url }, response) => {
        if (url === '/first') slow = response
        else response.end(url)
      })
      const { app, port } = await startApp(t, { backends: [backend.url], lane })
      const accepted = once(app.server, 'connection') as Promise<[Socket]>
      const client = await wireClient(t, port)
      const [socket] = await accepted
      const count = 2000
      const field = `x-long: ${'x'.repeat(8000)}`
      client.send(get('/first') + Array.from({ length: count }, (_, index) => get(`/${index}`, field)).join(''))
      await until(
        'no more is read',
        unchanged(() => socket.bytesRead),
      )
      assert.ok(socket.bytesRead < 5 * 1024 * 1024, `${socket.bytesRead}`)
      slow!.end('first')
      const received = await client.until(new RegExp(`/${count - 1}$`))
      assert.equal(received.split('HTTP/1.1 200').length, count + 2)
    })

    test('leave places and queue to others', async (t) => {
      const backend = await startWireBackend(t, (request, connection) => {
        if (pathOf(request) === '/other') connection.send(ok('other'))
      })
      const pool = { connections: 2 }
      const { app, port } = await startApp(t, { backends: [backend.url], pool, queue: { max: 0 }, lane })
      const client = await wireClient(t, port)
      client.send(get('/held').repeat(3000))
      await until('the first has been sent', () => backend.requests.length === 1)
      const other = await wireClient(t, port)
      other.send(get('/other'))
      assert.equal((await other.response()).body, 'other')
      assert.equal(app.balancer.exchanges, 1)
      client.socket.destroy()
      await until('its place is free', () => app.balancer.backends[0]!.inFlight === 0)
      assert.equal(app.balancer.exchanges, 0)
      assert.equal(backend.requests.length, 2)
    })

    test('keep their order when one of them fails', async (t) => {
      const backend = await startWireBackend(t, (request, connection) => connection.send(ok(pathOf(request))))
      const { app, port } = await startApp(t, { backends: [backend.url], lane })
      app.balancer.addHook('onPick', ({ exchange }) => exchange.url !== '/2')
      const client = await wireClient(t, port)
      // The last is malformed, and ends the connection.
      client.send(get('/1') + get('/2') + get('/3') + get('/4#'))
      const statuses: number[] = []
      for (let index = 0; index < 4; index++) statuses.push((await client.response()).status)
      assert.deepEqual(statuses, [200, 503, 200, 400])
    })

    test('of which the second is long are both answered whole', async (t) => {
      const long = 'x'.repeat(4 * 1024 * 1024)
      let slow: WireConnection | undefined
      const backend = await startWireBackend(t, (request, connection) => {
        if (pathOf(request) === '/1') slow = connection
        else connection.send(ok(long))
      })
      const { port } = await startApp(t, { backends: [backend.url], lane })
      const client = await wireClient(t, port)
      client.send(get('/1') + get('/2') + get('/3'))
      await until('the first has been sent', () => slow !== undefined)
      slow!.send(ok('first'))
      assert.equal((await client.response()).body, 'first')
      assert.equal((await client.response()).body.length, long.length)
      assert.equal((await client.response()).body.length, long.length)
    })

    test('leave nothing behind when the client goes', async (t) => {
      const backend = await startWireBackend(t, () => {})
      const { app, port } = await startApp(t, { backends: [backend.url], lane })
      const [only] = app.balancer.backends
      const client = await wireClient(t, port)
      client.send(get('/1') + get('/2') + get('/3') + get('/4'))
      await until('the first has been sent', () => backend.requests.length === 1)
      client.socket.destroy()
      await until('no exchange is left', () => app.balancer.exchanges === 0)
      await until('nothing is in flight', () => only!.inFlight === 0)
      assert.deepEqual(only!.outcomes, { 'client-gone': 1 })
      await until('the backend has heard of it', () => backend.connections.every(({ socket }) => socket.destroyed))
      assert.deepEqual(backend.requests.map(pathOf), ['/1'])
    })

    for (const end of ['destroy', 'resetAndDestroy'] as const) {
      test(`leave nothing behind when the client goes, though bodies of others stand unread: ${end}`, async (t) => {
        const backend = await startWireBackend(t, () => {})
        const { app, port } = await startApp(t, { backends: [backend.url], timeouts: { headers: 0 }, lane })
        const [only] = app.balancer.backends
        const client = await wireClient(t, port)
        const body = 'x'.repeat(700_000)
        client.send(get('/1') + post(body) + post(body) + post(body))
        await until('the first has been sent', () => backend.requests.length === 1)
        await until('all has left', () => client.socket.writableLength === 0)
        client.socket[end]()
        await until('no exchange is left', () => app.balancer.exchanges === 0)
        assert.deepEqual([only!.inFlight, only!.outcomes], [0, { 'client-gone': 1 }])
      })
    }

    test('bodies that have waited unread are forwarded whole', async (t) => {
      const held: (() => void)[] = []
      const backend = await startWireBackend(t, ({ body }, { send }) => {
        const answer = () => send(ok(String(body.length)))
        if (held.length === 0) held.push(answer)
        else answer()
      })
      const { app, port } = await startApp(t, { backends: [backend.url], lane })
      let connection: Socket | undefined
      app.server.on('connection', (socket) => (connection = socket))
      const client = await wireClient(t, port)
      const lengths = [700_000, 5_000_000, 100_000, 7, 2_000_000]
      client.send(get('/1') + lengths.map((length) => post('x'.repeat(length))).join(''))
      await until('the first has been sent', () => backend.requests.length === 1)
      await until(
        'no more is read',
        unchanged(() => connection?.bytesRead ?? 0),
      )
      assert.ok(connection!.bytesRead < 5 * 1024 * 1024, `${connection!.bytesRead} bytes were read`)
      held[0]!()
      for (const length of [0, ...lengths]) assert.equal((await client.response()).body, String(length))
    })

    test('take one place in the queue, and leave it when the client goes', async (t) => {
      const backend = await startWireBackend(t, () => {})
      const pool = { connections: 1 }
      const { app, port } = await startApp(t, { backends: [backend.url], pool, timeouts: { queue: 0 }, lane })
      const first = await wireClient(t, port)
      first.send(get('/first'))
      await until('the only place is taken', () => backend.requests.length === 1)
      const client = await wireClient(t, port)
      client.send(get('/1') + get('/2') + get('/3'))
      await until('one waits', () => app.balancer.queue.length === 1)
      assert.equal(app.balancer.exchanges, 2)
      client.socket.destroy()
      await until('its exchange has ended', () => app.balancer.exchanges === 1)
      assert.equal(app.balancer.queue.length, 0)
      assert.deepEqual(backend.requests.map(pathOf), ['/first'])
    })

    test('are answered when the app closes meanwhile', async (t) => {
      const held: WireConnection[] = []
      const backend = await startWireBackend(t, (_request, connection) => void held.push(connection))
      const { app, port } = await startApp(t, { backends: [backend.url], lane })
      const client = await wireClient(t, port)
      client.send(get('/1') + get('/2') + get('/3'))
      await until('the first has been sent', () => held.length === 1)
      const closed = app.close()
      for (let index = 0; index < 3; index++) {
        await until('it is its turn', () => held.length === index + 1)
        held[index]!.send(ok(`${index}`))
        assert.equal((await client.response()).body, `${index}`)
      }
      await closed
    })

    test('leave no listeners on a connection that lives on', async (t) => {
      const warnings: string[] = []
      const note = ({ name, message }: Error) => void warnings.push(`${name}: ${message}`)
      process.on('warning', note)
      t.after(() => process.off('warning', note))
      const backend = await startWireBackend(t)
      const { app, port } = await startApp(t, { backends: [backend.url], lane })
      const accepted = once(app.server, 'connection') as Promise<[Socket]>
      const client = await wireClient(t, port)
      const [socket] = await accepted
      const listeners = () =>
        Object.fromEntries(socket.eventNames().map((name) => [String(name), socket.listenerCount(name)]))
      const counts: Record<string, number>[] = []
      for (let round = 0; round < 3; round++) {
        // More than an emitter bears without a warning.
        client.send(get().repeat(20))
        for (let index = 0; index < 20; index++) assert.equal((await client.response()).status, 200)
        await until('all have ended', () => app.balancer.exchanges === 0)
        counts.push(listeners())
      }
      // One that serves them all may stay.
      assert.deepEqual(counts[2], counts[0])
      assert.ok((counts[2]!.close ?? 0) < 10)
      assert.deepEqual(warnings, [])
    })
  })
}

test('early hints of a pipelined request do not overtake the response before them', async (t) => {
  let slow: WireConnection | undefined
  const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n'
  const backend = await startWireBackend(t, (request, connection) => {
    if (pathOf(request) === '/1') slow = connection
    else connection.send(hints + ok('second'))
  })
  const { port } = await startApp(t, { backends: [backend.url] })
  const client = await wireClient(t, port)
  client.send(get('/1') + get('/2'))
  await until('the first has been sent', () => slow !== undefined)
  assert.equal(client.received, '')
  slow!.send(ok('first'))
  assert.equal((await client.response()).body, 'first')
  assert.equal((await client.response()).status, 103)
  assert.equal((await client.response()).body, 'second')
})

test('a pipelined request that waits to be told to continue is told after the response before it', async (t) => {
  let slow: WireConnection | undefined
  const backend = await startWireBackend(t, (request, connection) => {
    if (pathOf(request) === '/1') slow = connection
    else connection.send(ok(request.body))
  })
  const { port } = await startApp(t, { backends: [backend.url] })
  const client = await wireClient(t, port)
  client.send(get('/1') + post('later', 'expect: 100-continue').replace('later', ''))
  await until('the first has been sent', () => slow !== undefined)
  assert.equal(client.received, '')
  slow!.send(ok('first'))
  assert.equal((await client.response()).body, 'first')
  assert.equal((await client.response()).status, 100)
  client.send('later')
  assert.equal((await client.response()).body, 'later')
})

test('a backend that cannot be reached does not hold up the response before', async (t) => {
  const good = await startWireBackend(t)
  const { port } = await startApp(t, { backends: [good.url, await unusedOrigin()], retry: { attempts: 0 } })
  const client = await wireClient(t, port)
  client.send(get('/1') + get('/2'))
  assert.equal((await client.response()).status, 200)
  // Never sent to the one, so it went to the other.
  assert.equal((await client.response()).status, 200)
  assert.equal(good.requests.length, 2)
})
