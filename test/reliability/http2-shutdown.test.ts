import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { startBackend } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { ManualClock } from '../support/clock.ts'
import { frameClient } from '../support/frame-client.ts'
import { codes, types } from '../support/http2-frames.ts'
import { rawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from '../conformance/no-crash.ts'

failOnCrash()

for (const tls of [false, true])
  describe(`an HTTP/2 listener ${tls ? 'over TLS' : 'in clear'}, when the app closes`, () => {
    async function start(t: TestContext, options: BalancerOptions = {}) {
      const clock = new ManualClock()
      const responses: ServerResponse[] = []
      const backend = await startBackend(t, (_request, response) => {
        responses.push(response.writeHead(200))
        response.write('begun ')
      })
      const app = Fastify({
        http2: true,
        ...(tls && { https: { ...localhost, allowHTTP1: true } }),
      } as never) as unknown as FastifyInstance
      // What the balancer does not end, nobody does: this one is the app's own.
      app.get('/own', (_request, reply) => {
        reply.hijack()
        reply.raw.write('own ')
      })
      const timeouts = { idle: 0, headers: 0 }
      await app.register(balancer, { backends: [backend.url], clock, timeouts, ...options })
      const { port } = await listenApp(t, app)
      return { app, port, clock, responses, backend }
    }

    test('clients learn which requests are served; those are, and later ones may be sent elsewhere', async (t) => {
      const { app, port, responses, backend } = await start(t)
      const client = await frameClient(t, port, { tls })
      client.ask(1)
      client.ask(3)
      await until('they are under way', () => client.bodyOf(1) === 'begun ' && client.bodyOf(3) === 'begun ')
      const closed = app.close()
      assert.equal(await client.code(types.goaway), codes.noError)
      assert.equal(client.received(types.goaway)[0]!.payload.readUInt32BE(), 3)
      client.ask(5)
      responses[1]!.end('ended')
      await client.whole(3)
      responses[0]!.end('ended')
      await client.whole(1)
      assert.deepEqual([client.bodyOf(1), client.bodyOf(3)], ['begun ended', 'begun ended'])
      await client.end()
      await closed
      assert.deepEqual(
        client.frames.filter(({ stream }) => stream === 5),
        [],
      )
      for (const { payload } of client.received(types.goaway)) assert.equal(payload.readUInt32BE(), 3)
      assert.equal(backend.received.length, 2)
    })

    test('a client without requests that does not close its side is cut off soon, also without a deadline', async (t) => {
      const { app, port, clock } = await start(t, { drainDeadline: 0 })
      const deaf = await frameClient(t, port, { tls, deaf: true })
      await until('it has a session', () => deaf.received(types.settings).length > 0)
      const closed = app.close()
      await deaf.end()
      await until('it is waited for', () => clock.pending > 0)
      clock.advance(4999)
      assert.equal(deaf.socket.closed, false)
      clock.advance(1)
      await closed
    })

    test('at the deadline, what is still under way is broken off, and not with a clean end', async (t) => {
      const { app, port, clock } = await start(t, { drainDeadline: 60_000 })
      const client = await frameClient(t, port, { tls })
      client.ask(1, { ':path': '/own' })
      await until('it is under way', () => client.bodyOf(1) === 'own ')
      const closed = app.close()
      await client.code(types.goaway)
      await until('it is waited for', () => clock.pending > 0)
      clock.advance(60_000)
      await closed
      await client.end()
      assert.ok(
        client.received(types.reset, 1).length > 0 ||
          client.received(types.goaway).at(-1)!.payload.readUInt32BE(4) !== 0,
        'an error',
      )
    })

    test('a client that has sent nothing, or not all that a connection begins with, holds nothing up', async (t) => {
      const { app, port, clock } = await start(t)
      const sockets = ['', 'PRI * HT'].map((begun) => {
        const socket = connect(port, '127.0.0.1')
        t.after(() => socket.destroy())
        socket.on('error', () => {}).resume()
        if (begun !== '') socket.write(begun)
        return socket
      })
      await Promise.all(sockets.map((socket) => once(socket, 'connect')))
      // Over TLS, the second one is no handshake.
      const [silent] = sockets
      const gone = once(silent!, 'close')
      let connections = 0
      app.server.getConnections((_error, count) => (connections = count))
      await until('the server has them', () => connections > 0)
      await app.close()
      await gone
      assert.ok(clock.now() === 0)
    })

    if (tls)
      test('HTTP/1.1 beside it is closed as everywhere', async (t) => {
        const { app, port, clock, responses } = await start(t, { drainDeadline: 2000 })
        const idle = await rawClient(t, port, { ca: localhost.cert })
        const busy = await rawClient(t, port, { ca: localhost.cert })
        const slow = await rawClient(t, port, { ca: localhost.cert })
        slow.send('GET / HTTP/1.1\r\nhost: a\r\nx-')
        busy.send('GET / HTTP/1.1\r\nhost: a.example\r\n\r\n')
        await busy.until(/begun/)
        const closed = app.close()
        await until('it closes', () => app.balancer.closing)
        responses[0]!.end('ended')
        assert.match(await busy.closed(), /ended/)
        await idle.closed()
        await until('the slow one is waited for', () => clock.pending > 0)
        assert.equal(slow.socket.closed, false)
        clock.advance(2000)
        await slow.closed()
        await closed
      })
  })
