import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { startBackend } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { ManualClock } from '../support/clock.ts'
import { frameClient, type FrameClient } from '../support/frame-client.ts'
import { codes, types } from '../support/http2-frames.ts'
import { rawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from '../conformance/no-crash.ts'

failOnCrash()

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: a.example\r\n\r\n`

async function start(t: TestContext, options: BalancerOptions, server: object = { http2: true }) {
  const clock = new ManualClock()
  const responses: ServerResponse[] = []
  const backend = await startBackend(t, (request, response) => {
    if (request.url === '/long') responses.push(response.writeHead(200))
    if (request.url === '/long') response.write('begun ')
    else response.end('quick')
  })
  backend.server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
    socket.pipe(socket)
  })
  const app = Fastify(server) as unknown as FastifyInstance
  const draws: number[] = []
  await app.register(balancer, {
    backends: [backend.url],
    clock,
    random: () => draws.shift() ?? 0.5,
    timeouts: { idle: 0, headers: 0 },
    ...options,
  })
  if (options.name !== undefined) await app.register(balancer, { name: 'b', prefix: '/b', clock, random: () => 0.5 })
  const { port } = await listenApp(t, app)
  return { app, port, clock, responses, draws }
}

for (const tls of [false, true])
  describe(`the age of HTTP/2 connections, ${tls ? 'over TLS' : 'in clear'}`, () => {
    const server = { http2: true, ...(tls && { https: localhost }) }

    test('at its age, a client is told to use another one; what is under way is served to its end', async (t) => {
      const { port, clock, responses } = await start(t, { maxConnectionAge: 60_000 }, server)
      const client = await frameClient(t, port, { tls })
      client.ask(1)
      await client.whole(1)
      client.ask(3, { ':path': '/long' })
      await until('it has begun', () => client.bodyOf(3) === 'begun ')
      clock.advance(59_999)
      client.ask(5)
      await client.whole(5)
      assert.deepEqual(client.received(types.goaway), [])
      clock.advance(1)
      assert.equal(await client.code(types.goaway), codes.noError)
      // The last one that is served, so that the client may send later ones again.
      assert.equal(client.received(types.goaway)[0]!.payload.readUInt32BE(), 5)
      client.ask(7)
      clock.advance(10 * 60_000)
      responses[0]!.end('ended')
      await client.whole(3)
      assert.equal(client.bodyOf(3), 'begun ended')
      await client.end()
      assert.deepEqual(
        client.frames.filter(({ stream }) => stream === 7),
        [],
      )
    })

    test('after the grace, what is still under way is broken off, and not with a clean end', async (t) => {
      const options = { maxConnectionAge: 60_000, maxConnectionAgeGrace: 5000 }
      const { port, clock, app } = await start(t, options, server)
      const client = await frameClient(t, port, { tls })
      client.ask(1, { ':path': '/long' })
      await until('it has begun', () => client.bodyOf(1) === 'begun ')
      clock.advance(60_000 + 4999)
      assert.equal(await client.code(types.goaway), codes.noError)
      assert.equal(client.ended, false)
      clock.advance(1)
      await client.end()
      assert.ok((await client.code(types.goaway)) !== codes.noError || client.received(types.reset, 1).length > 0)
      await until('its exchange has ended', () => app.balancer.exchanges === 0)
    })

    test('one without requests is closed at its age, and leaves nothing behind', async (t) => {
      const { port, clock } = await start(t, { maxConnectionAge: 60_000, maxConnectionAgeGrace: 5000 }, server)
      const client = await frameClient(t, port, { tls })
      client.ask(1)
      await client.whole(1)
      const before = clock.pending
      clock.advance(60_000)
      await client.end()
      await until('its timers are gone', () => clock.pending < before)
    })
  })

test('connections that came together do not go together: ± 10 %', async (t) => {
  const { port, clock, draws } = await start(t, { maxConnectionAge: 1000 })
  draws.push(0, 0.25, 0.999)
  const clients: FrameClient[] = []
  // oxlint-disable-next-line no-await-in-loop -- each takes the next number
  for (let count = 0; count < 3; count++) {
    const client = await frameClient(t, port)
    await until('it is known', () => client.received(types.settings).length > 0)
    clients.push(client)
  }
  const gone = () => clients.map((client) => client.received(types.goaway).length > 0)
  for (const [at, last] of [
    [899, 0],
    [900, 1],
    [949, 1],
    [950, 2],
    [1099, 2],
    [1100, 3],
  ] as const) {
    clock.advance(at - clock.now())
    // oxlint-disable-next-line no-await-in-loop -- one time after the other
    await until(`at ${at} ms, ${last} are gone`, () => gone().filter(Boolean).length >= last)
    assert.equal(gone().filter(Boolean).length, last, `at ${at} ms`)
  }
})

for (const tls of [false, true])
  test(`an HTTP/1.1 connection ends with its next response, ${tls ? 'on an HTTP/2 listener' : 'in clear'}`, async (t) => {
    const { port, clock } = await start(
      t,
      { maxConnectionAge: 60_000 },
      tls ? { http2: true, https: { ...localhost, allowHTTP1: true } } : {},
    )
    const client = await rawClient(t, port, tls ? { ca: localhost.cert } : {})
    client.send(get('/1'))
    await client.until(/quick/)
    assert.doesNotMatch(client.received, /connection: close/i)
    clock.advance(60_000)
    assert.equal(client.socket.closed, false)
    client.send(get('/2'))
    const [, , second] = (await client.closed()).split('HTTP/1.1 200')
    assert.match(second!, /connection: close\r\n[^]*quick$/i)
  })

test('an HTTP/1.1 connection is cut off after the grace, unless it was upgraded', async (t) => {
  const upgrade = { protocols: ['echo'], idle: 0 }
  const options = { maxConnectionAge: 60_000, maxConnectionAgeGrace: 5000, upgrade }
  const { port, clock } = await start(t, options, {})
  const client = await rawClient(t, port)
  client.send(get('/long'))
  await client.until(/begun/)
  const upgraded = await rawClient(t, port)
  upgraded.send('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
  await upgraded.until(/101/)
  clock.advance(64_999)
  assert.equal(client.socket.closed, false)
  clock.advance(1)
  assert.doesNotMatch(await client.closed(), /\r\n0\r\n\r\n$/, 'not a clean end')
  upgraded.send('still there')
  await upgraded.until(/still there/)
  upgraded.socket.destroy()
})

test('of several balancers, the smallest age counts; another one holds for connections that come later', async (t) => {
  const { app, port, clock } = await start(t, { maxConnectionAge: 60_000, name: 'a' })
  const dial = async () => {
    const client = await frameClient(t, port)
    client.ask(1)
    await client.whole(1)
    return client
  }
  const first = await dial()
  for (const [maxConnectionAge, awaited] of [
    [0, 60_000],
    [1000, 1000],
    [90_000, 60_000],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const change = await app.balancers.get('b')!.prepare({ name: 'b', prefix: '/b', maxConnectionAge })
    change.commit()
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const client = await dial()
    clock.advance(awaited - 1)
    assert.deepEqual(client.received(types.goaway), [])
    clock.advance(1)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await client.end()
  }
  assert.equal(first.ended, true)
})
