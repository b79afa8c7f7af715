import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import { startApp } from '../support/app.ts'
import { startBackend } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { unchanged, until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend, type WireConnection } from './wire-backend.ts'
import { get, post, wireClient } from './wire-client.ts'
import { valueOf } from './wire-message.ts'

failOnCrash()

const mebibyte = 1024 * 1024
const small = 65_536

function head(length: number, ...fields: string[]): string {
  return `POST / HTTP/1.1\r\nhost: a.example\r\n${[`content-length: ${length}`, ...fields].join('\r\n')}\r\n\r\n`
}

/** A connection that reads nothing until it is told to. */
async function deafClient(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}).pause()
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

for (const lane of ['raw', 'full'] as const) {
  describe(`slow clients (${lane} lane)`, () => {
    test('that send a small body slowly take no place', async (t) => {
      const backend = await startWireBackend(t, (request, connection) => connection.send(ok(request.body)))
      const options = { lane, pool: { connections: 1 }, queue: { max: 0 } }
      const { app, port } = await startApp(t, { backends: [backend.url], ...options })
      const slow = await Promise.all(Array.from({ length: 32 }, () => wireClient(t, port)))
      for (const client of slow) client.send(`${head(small)}x`)
      await until('they have begun', () => app.balancer.exchanges === slow.length)
      assert.equal(app.balancer.backends[0]!.inFlight, 0)
      assert.equal(app.balancer.queue.length, 0)
      const other = await wireClient(t, port)
      for (let count = 0; count < 3; count++) {
        other.send(post('quick'))
        assert.equal((await other.response()).body, 'quick')
      }
      assert.equal(backend.connections.length, 1)
      const body = 'y'.repeat(small - 1)
      slow[7]!.send(body)
      assert.equal((await slow[7]!.response()).body, `x${body}`)
      for (const client of slow) client.socket.destroy()
      await until('nothing is left of them', () => app.balancer.exchanges === 0)
    })

    test('that send nothing more of a small body are told 408', async (t) => {
      const clock = new ManualClock()
      const backend = await startWireBackend(t)
      const options = { lane, clock, timeouts: { idle: 60_000 } }
      const { app, port } = await startApp(t, { backends: [backend.url], ...options })
      const client = await wireClient(t, port)
      client.send(`${head(small)}x`)
      await until('it has begun', () => app.balancer.exchanges === 1)
      clock.advance(59_999)
      assert.equal(client.received, '')
      // It had moved once.
      clock.advance(60_001)
      const response = await client.response()
      assert.equal(response.status, 408)
      assert.equal(valueOf(response, 'connection'), 'close')
      assert.equal(JSON.parse(response.body).code, 'FST_BALANCER_REQUEST_STALLED')
      assert.equal(await client.closed(), '')
      assert.equal(backend.connections.length, 0)
      await until('nothing is left of it', () => app.balancer.exchanges === 0)
      assert.equal(clock.pending, 0)
    })

    for (const [size, name] of [
      [small, 'a small'],
      [mebibyte, 'a large'],
    ] as const) {
      test(`that send a byte now and then of ${name} body are told 408`, async (t) => {
        const clock = new ManualClock()
        const backend = await startWireBackend(t)
        const options = { lane, clock, timeouts: { idle: 1000 }, minClientRate: 100 }
        const { app, port } = await startApp(t, { backends: [backend.url], ...options })
        const client = await wireClient(t, port)
        client.send(head(size))
        await until('it has begun', () => app.balancer.exchanges === 1)
        let read = 0
        for (let count = 0; count < 30 && client.received === ''; count++) {
          client.send('x')
          if (size > small) {
            await until('it has come', () => app.balancer.backends[0]!.bytesSent > read || client.received !== '')
            read = app.balancer.backends[0]!.bytesSent
          }
          clock.advance(500)
          await new Promise((resolve) => setImmediate(resolve))
        }
        const response = await client.response()
        assert.equal(response.status, 408)
        assert.equal(valueOf(response, 'connection'), 'close')
        await until('its place is free', () => app.balancer.backends[0]!.inFlight === 0)
      })
    }

    test('that send at the least rate are served', async (t) => {
      const clock = new ManualClock()
      const backend = await startWireBackend(t)
      const options = { lane, clock, timeouts: { idle: 1000 }, minClientRate: 100 }
      const { app, port } = await startApp(t, { backends: [backend.url], ...options })
      const client = await wireClient(t, port)
      const size = mebibyte
      client.send(head(size))
      let sent = 0
      for (let count = 0; count < 20; count++) {
        client.send('x'.repeat(60))
        sent += 60
        await until('it has come', () => app.balancer.backends[0]!.bytesSent === sent)
        clock.advance(500)
      }
      client.send('x'.repeat(size - sent))
      assert.equal((await client.response()).status, 200)
    })

    test('that owe nothing may be quiet: streams both ways', async (t) => {
      const clock = new ManualClock()
      let connection: WireConnection | undefined
      const backend = await startWireBackend(t, () => {}, {
        onHead: (_head, one) => {
          connection = one
          one.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n')
        },
      })
      const options: BalancerOptions = { lane, clock, timeouts: { idle: 10_000 }, minClientRate: 1000 }
      const { app, port } = await startApp(t, { backends: [backend.url], ...options })
      const client = await wireClient(t, port)
      client.send('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n')
      await client.until('hello')
      let got = 0
      for (let minute = 0; minute < 10; minute++) {
        clock.advance(6000)
        client.send('1\r\ny\r\n')
        connection!.send('1\r\nz\r\n')
        await until('it has come both ways', () => {
          const { bytesSent, bytesReceived } = app.balancer.backends[0]!
          return bytesSent === minute + 2 && bytesReceived === minute + 6
        })
        got++
      }
      assert.equal(got, 10)
      client.send('0\r\n\r\n')
      connection!.send('0\r\n\r\n')
      assert.equal((await client.response()).body, `hello${'z'.repeat(10)}`)
    })

    test('that read a little now and then are cut off', async (t) => {
      const clock = new ManualClock()
      const backend = await startBackend(t, (_request, response) => {
        const chunk = Buffer.alloc(65_536)
        const more = () => {
          while (response.write(chunk));
        }
        response.on('drain', more)
        more()
      })
      // Fast as loopback goes, it is too slow for this.
      const options = { lane, clock, timeouts: { idle: 10_000 }, minClientRate: mebibyte * mebibyte }
      const { app, port } = await startApp(t, { backends: [backend.url], ...options })
      const outcomes: unknown[] = []
      app.balancer.addHook('onAttemptEnd', ({ outcome }) => void outcomes.push(outcome))
      const [only] = app.balancer.backends
      const client = await deafClient(t, port)
      client.write(get())
      for (let count = 0; count < 12 && outcomes.length === 0; count++) {
        await until(
          'nothing moves any more',
          unchanged(() => only!.bytesReceived, 30),
        )
        clock.advance(2500)
        const before = only!.bytesReceived
        const reading = () => void client.pause()
        for (let tries = 0; tries < 500 && only!.bytesReceived === before && outcomes.length === 0; tries++) {
          client.once('data', reading).resume()
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      assert.deepEqual(outcomes, ['client-stalled'])
      await until('the backend is rid of it', () => backend.sockets.size === 0)
    })
  })
}

test('a client that has gone while its backend reads nothing is noticed', async (t) => {
  const sockets: Socket[] = []
  const backend = await startWireBackend(t, () => {}, {
    onConnection: ({ socket }) => void sockets.push(socket.pause()),
  })
  const { app, port } = await startApp(t, { backends: [backend.url] })
  const client = connect(port, '127.0.0.1')
  client.on('error', () => {})
  client.write(head(512 * mebibyte))
  const chunk = Buffer.alloc(mebibyte)
  const more = () => {
    while (client.write(chunk));
  }
  client.on('drain', more)
  more()
  const [only] = app.balancer.backends
  await until(
    'nothing moves any more',
    unchanged(() => only!.bytesSent),
  )
  client.resetAndDestroy()
  await until('its place is free', () => only!.inFlight === 0, 30_000)
  assert.deepEqual(only!.outcomes, { 'client-gone': 1 })
})
