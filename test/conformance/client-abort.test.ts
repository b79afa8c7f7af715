import assert from 'node:assert/strict'
import type { LookupFunction } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import { startApp } from '../support/app.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend, type WireConnection, type WireHooks, type WireScript } from './wire-backend.ts'
import { exchange, get, wireClient } from './wire-client.ts'

failOnCrash()

/** ms. The best of several tries must keep to it, since a busy machine may delay any one. */
const soon = 100
const tries = 5

async function start(t: TestContext, options: BalancerOptions, script: WireScript, hooks?: WireHooks) {
  const backend = await startWireBackend(t, script, hooks)
  const { app, port } = await startApp(t, { backends: [backend.url], ...options })
  return { backend, port, balancer: app.balancer, only: app.balancer.backends[0]! }
}

/** Leaves, and says how long it took until `noticed`. */
async function leave(socket: { destroy(): unknown }, what: string, noticed: () => boolean): Promise<number> {
  const before = performance.now()
  socket.destroy()
  await until(what, noticed)
  return performance.now() - before
}

const pathOf = ({ start: line }: { readonly start: string }) => line.split(' ')[1]!
const gone = ({ socket }: WireConnection) => socket.destroyed

for (const lane of ['raw', 'full'] as const) {
  describe(`a client that goes away (${lane} lane)`, () => {
    /** Each begins a request, and answers once it is in its phase. */
    const phases = {
      'before the headers': {
        ask: get('/'),
        part: undefined,
        script: () => {},
      },
      'during a body of known length': {
        ask: get('/'),
        part: 'part',
        script: (_: unknown, connection: WireConnection) =>
          connection.send(`HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n${'part'.repeat(20_000)}`),
      },
      'during a body in chunks': {
        ask: get('/'),
        part: 'part',
        script: (_: unknown, connection: WireConnection) =>
          connection.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n'),
      },
      'during an upload of known length': {
        ask: 'POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 100000\r\n\r\npart',
        part: undefined,
        script: () => {},
      },
      'during an upload in chunks': {
        ask: 'POST / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n',
        part: undefined,
        script: () => {},
      },
    }
    for (const [phase, { ask, part, script }] of Object.entries(phases)) {
      test(`${phase} is missed by its backend at once, and by nobody else`, async (t) => {
        const other = { begun: undefined as WireConnection | undefined }
        const upload = ask.startsWith('POST')
        const { backend, port, balancer, only } = await start(t, { lane }, (request, connection) => {
          if (pathOf(request) === '/other') other.begun = connection
          else script(request, connection)
        })
        const neighbour = await wireClient(t, port)
        neighbour.send(get('/other'))
        await until('the other has begun', () => other.begun !== undefined)
        other.begun!.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nother\r\n')
        await neighbour.until('other')

        const times: number[] = []
        for (let count = 0; count < tries; count++) {
          const client = await wireClient(t, port)
          client.send(ask)
          await until('it has reached the backend', () => {
            const connection = backend.connections.at(-1)!
            return (
              connection !== other.begun &&
              !gone(connection) &&
              connection.received.includes(upload ? 'part' : '\r\n\r\n')
            )
          })
          if (part !== undefined) await client.until(part)
          const connection = backend.connections.at(-1)!
          times.push(await leave(client.socket, 'its connection is closed', () => gone(connection)))
          await until('its exchange has ended', () => balancer.exchanges === 1 && only.inFlight === 1)
          // Half an upload must not look like a whole one.
          assert.doesNotMatch(connection.received, /0\r\n\r\n$/)
          if (upload) assert.equal(connection.requests, 0)
        }
        assert.ok(Math.min(...times) < soon, `it took ${times.join(', ')} ms`)
        assert.deepEqual(only.outcomes, { 'client-gone': tries })

        other.begun!.send('3\r\nend\r\n0\r\n\r\n')
        assert.equal((await neighbour.response()).body, 'otherend')
        await until('nothing is in flight', () => only.inFlight === 0)
      })
    }

    test('while it does not read is missed by its backend at once', async (t) => {
      const size = 64 * 1024 * 1024
      const response = Buffer.alloc(size, 'x')
      const { backend, port, only } = await start(t, { lane }, (_, { socket }) => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`)
        socket.write(response)
      })
      const times: number[] = []
      for (let count = 0; count < tries; count++) {
        const client = await wireClient(t, port)
        client.send(get())
        await client.until('\r\n\r\n')
        client.socket.pause()
        const { socket } = backend.connections.at(-1)!
        let before = -1
        // It has come to rest once nothing has moved for some turns.
        for (let quiet = 0; quiet < 50; quiet++) {
          if (only.bytesReceived !== before) quiet = 0
          before = only.bytesReceived
          await new Promise((resolve) => setImmediate(resolve))
        }
        times.push(await leave(client.socket, 'its connection is closed', () => socket.destroyed))
        await until('nothing is in flight', () => only.inFlight === 0)
      }
      assert.ok(Math.min(...times) < soon, `it took ${times.join(', ')} ms`)
      assert.deepEqual(only.outcomes, { 'client-gone': tries })
    })

    test('while it waits for a backend leaves the queue at once, and only itself', async (t) => {
      let holding: WireConnection | undefined
      const options = { lane, pool: { connections: 1 }, timeouts: { queue: 0 } }
      const { backend, port, balancer, only } = await start(t, options, (request, connection) => {
        if (pathOf(request) === '/first') holding = connection
        else connection.send(ok(pathOf(request)))
      })
      const first = await wireClient(t, port)
      first.send(get('/first'))
      await until('the first has begun', () => holding !== undefined)
      const last = await wireClient(t, port)
      const times: number[] = []
      for (let count = 0; count < tries; count++) {
        const client = await wireClient(t, port)
        client.send(get('/gone'))
        await until('it waits', () => balancer.queue.length === Math.min(count, 1) + 1)
        if (count === 0) {
          last.send(get('/last'))
          await until('another waits behind it', () => balancer.queue.length === 2)
        }
        times.push(await leave(client.socket, 'it has left', () => balancer.queue.length === 1))
      }
      assert.ok(Math.min(...times) < soon, `it took ${times.join(', ')} ms`)
      await until('its exchanges have ended', () => balancer.exchanges === 2)
      holding!.send(ok('first'))
      assert.equal((await first.response()).body, 'first')
      assert.equal((await last.response()).body, '/last')
      assert.deepEqual(backend.requests.map(pathOf), ['/first', '/last'])
      assert.deepEqual(only.outcomes, { ok: 2 })
      assert.equal(only.inFlight, 0)
    })

    test('while its backend is being connected to is never sent, and gives its place back', async (t) => {
      const waiting: (() => void)[] = []
      let held = true
      const lookup: LookupFunction = (_name, _options, found) => {
        const answer = () => found(null, [{ address: '127.0.0.1', family: 4 }])
        if (held) waiting.push(answer)
        else answer()
      }
      const backend = await startWireBackend(t, (request, connection) => connection.send(ok(pathOf(request))))
      const url = backend.url.replace('127.0.0.1', 'backend.example')
      const { app, port } = await startApp(t, {
        backends: [url],
        lane,
        pool: { tls: { lookup } },
        // Longer than this test waits: its end is not that of the connecting.
        timeouts: { connect: 60_000 },
      })
      const [only] = app.balancer.backends
      const client = await wireClient(t, port)
      client.send(get('/gone'))
      await until('its backend is looked up', () => waiting.length === 1)
      const other = await wireClient(t, port)
      other.send(get('/other'))
      await until('that of another as well', () => waiting.length === 2)
      await leave(client.socket, 'its exchange has ended', () => app.balancer.exchanges === 1)
      held = false
      for (const answer of waiting) answer()
      assert.equal((await other.response()).body, '/other')
      await until('nothing is in flight', () => only!.inFlight === 0)
      assert.deepEqual(only!.outcomes, { ok: 1, 'client-gone': 1 })
      assert.equal((await exchange(t, port, get('/next'))).body, '/next')
      assert.deepEqual(backend.requests.map(pathOf), ['/other', '/next'])
      assert.doesNotMatch(backend.received, /gone/)
    })

    test('while its next attempt is being made is not sent again', async (t) => {
      let gate: (() => void) | undefined
      const lookup: LookupFunction = (_name, _options, found) => {
        gate = () => found(null, [{ address: '127.0.0.1', family: 4 }])
      }
      const broken = await startWireBackend(t, (_, { socket }) => socket.resetAndDestroy())
      const slow = await startWireBackend(t)
      const backends = [broken.url, slow.url.replace('127.0.0.1', 'backend.example')]
      const { app, port } = await startApp(t, { backends, lane, pool: { tls: { lookup } } })
      const client = await wireClient(t, port)
      client.send(get())
      await until('the second is looked up', () => gate !== undefined)
      assert.equal(broken.requests.length, 1)
      await leave(client.socket, 'its exchange has ended', () => app.balancer.exchanges === 0)
      gate!()
      await until('nothing is in flight', () => app.balancer.backends.every(({ inFlight }) => inFlight === 0))
      assert.equal(slow.received, '')
    })
  })
}
