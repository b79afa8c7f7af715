import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { startApp } from '../support/app.ts'
import { unusedOrigin } from '../support/backend.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend, type WireConnection } from './wire-backend.ts'
import { get, post, wireClient } from './wire-client.ts'

failOnCrash()

/** The path that a request asks for. */
const pathOf = ({ start }: { readonly start: string }) => start.split(' ')[1]!

for (const lane of ['raw', 'full'] as const) {
  describe(`pipelined requests (${lane} lane)`, () => {
    test('are answered in order, whichever backend answers first', async (t) => {
      let slow: WireConnection | undefined
      const first = await startWireBackend(t, (_request, connection) => void (slow = connection))
      const second = await startWireBackend(t, ok('second'))
      const { app, port } = await startApp(t, { backends: [first.url, second.url], lane })
      const client = await wireClient(t, port)
      client.send(get('/1') + get('/2'))
      await until('both have been sent, and the second answered', () => {
        const [, { outcomes }] = app.balancer.backends as [unknown, { outcomes: { ok?: number } }]
        return slow !== undefined && outcomes.ok === 1
      })
      assert.equal(client.received, '')
      slow!.send(ok('first'))
      assert.equal((await client.response()).body, 'first')
      assert.equal((await client.response()).body, 'second')
      assert.equal(client.rest, '')
    })

    test('are answered in order when they come with bodies, in reverse, over one backend', async (t) => {
      const waiting: (() => void)[] = []
      const backend = await startWireBackend(t, (request, connection) => {
        waiting.unshift(() => connection.send(ok(request.body)))
        if (waiting.length === 8) for (const answer of waiting) answer()
      })
      const { port } = await startApp(t, { backends: [backend.url], lane })
      const client = await wireClient(t, port)
      const bodies = Array.from({ length: 8 }, (_, index) => `body ${index}`)
      client.send(bodies.map((body) => post(body)).join(''))
      for (const body of bodies) assert.equal((await client.response()).body, body)
      assert.equal(client.rest, '')
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
      const { app, port } = await startApp(t, { backends: [backend.url], lane })
      const client = await wireClient(t, port)
      client.send(get('/1') + get('/2') + get('/3'))
      await until('some of the long ones has come', () => app.balancer.backends[0]!.bytesReceived > 0)
      slow!.send(ok('first'))
      assert.equal((await client.response()).body, 'first')
      assert.equal((await client.response()).body.length, long.length)
      assert.equal((await client.response()).body.length, long.length)
    })

    test('leave nothing behind when the client goes', async (t) => {
      const backend = await startWireBackend(t, (request, connection) => {
        // The second has been answered whole; the client cannot be given it before the first.
        if (pathOf(request) === '/2') connection.send(ok())
        if (pathOf(request) === '/3') connection.send('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart')
      })
      const { app, port } = await startApp(t, { backends: [backend.url], lane })
      const [only] = app.balancer.backends
      const client = await wireClient(t, port)
      client.send(get('/1') + get('/2') + get('/3') + get('/4'))
      await until('all have been sent', () => backend.requests.length === 4)
      await until('the second has been answered', () => only!.outcomes.ok === 1)
      assert.equal(only!.inFlight, 3)
      client.socket.destroy()
      await until('no exchange is left', () => app.balancer.exchanges === 0)
      await until('nothing is in flight', () => only!.inFlight === 0)
      assert.deepEqual(only!.outcomes, { ok: 1, 'client-gone': 3 })
      await until('the backend has heard of it', () => {
        const open = backend.connections.filter(({ socket }) => !socket.destroyed)
        return open.length === 1 && open[0]!.requests === 1
      })
    })

    test('that wait for a backend leave the queue when the client goes', async (t) => {
      const backend = await startWireBackend(t, () => {})
      const pool = { connections: 1 }
      const { app, port } = await startApp(t, { backends: [backend.url], pool, timeouts: { queue: 0 }, lane })
      const client = await wireClient(t, port)
      client.send(get('/1') + get('/2') + get('/3'))
      await until('two wait', () => app.balancer.queue.length === 2 && backend.requests.length === 1)
      client.socket.destroy()
      await until('no exchange is left', () => app.balancer.exchanges === 0)
      assert.equal(app.balancer.queue.length, 0)
      await until('nothing is in flight', () => app.balancer.backends[0]!.inFlight === 0)
      assert.deepEqual(backend.requests.map(pathOf), ['/1'])
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
  const { app, port } = await startApp(t, { backends: [backend.url] })
  const client = await wireClient(t, port)
  client.send(get('/1') + get('/2'))
  await until('the second has been answered', () => app.balancer.backends[0]!.outcomes.ok === 1)
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
  const { app, port } = await startApp(t, { backends: [backend.url] })
  const client = await wireClient(t, port)
  client.send(get('/1') + post('later', 'expect: 100-continue').replace('later', ''))
  await until('both have begun', () => app.balancer.backends[0]!.requests === 2 && slow !== undefined)
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
