import * as api from '@opentelemetry/api'
import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { createServer } from 'node:http2'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { beforeEach, test, type TestContext } from 'node:test'
import { startApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { listen, startBackend, startRawBackend, unusedOrigin } from '../../../../test/support/backend.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { rawClient } from '../../../../test/support/raw.ts'
import { until } from '../../../../test/support/until.ts'
import { handshake, startUpgradeBackend, switching } from '../../../../test/support/upgrade-backend.ts'
import { Tracing } from '../../src/tracing/tracing.ts'
import { arrange, draw, Sdk, startTraced, traceparentOf } from './stage.ts'

const sdk = new Sdk()
beforeEach(() => sdk.reset())

const portOf = (url: string) => Number(new URL(url).port)

for (const lane of ['raw', 'full'] as const) {
  test(`a plain request has a span, and its attempt one below it, which the backend hears of: ${lane} lane`, async (t) => {
    const backend = await startBackend(t)
    const { url } = await startTraced(t, [backend.url], { lane, prefix: '/api' })
    const [before, begun] = [Date.now(), performance.now()]
    assert.equal((await ask(`${url}/api/path?token=secret`)).status, 200)
    const spans = await sdk.take(2)
    const [after, done] = [Date.now(), performance.now()]
    const { exchange, attempts } = arrange(spans)
    assert.deepEqual(draw(exchange, spans), {
      kind: 'SERVER',
      name: 'GET /api/*',
      below: undefined,
      failed: false,
      attributes: {
        'http.request.method': 'GET',
        'url.path': '/api/path',
        'url.scheme': 'http',
        'network.protocol.version': '1.1',
        'http.route': '/api/*',
        'fastify_balancer.balancer': 'default',
        'fastify_balancer.outcome': 'ok',
        'http.response.status_code': 200,
      },
    })
    assert.equal(exchange.parentSpanContext, undefined)
    assert.deepEqual(
      attempts.map((span) => draw(span, spans)),
      [
        {
          kind: 'CLIENT',
          name: 'GET',
          below: 'GET /api/*',
          failed: false,
          attributes: {
            'http.request.method': 'GET',
            'url.scheme': 'http',
            'server.address': '127.0.0.1',
            'server.port': portOf(backend.url),
            'network.protocol.version': '1.1',
            'fastify_balancer.balancer': 'default',
            'fastify_balancer.backend': 'a',
            'fastify_balancer.outcome': 'ok',
            'http.response.status_code': 200,
          },
        },
      ],
    )
    assert.deepEqual(
      backend.received.map(({ headers }) => headers['traceparent']),
      attempts.map(traceparentOf),
    )
    // Each lies within the other. It begins by the clock of the wall, and the rest is laid upon that by the balancer's own.
    const inMs = ([seconds, nanoseconds]: readonly [number, number]) => seconds * 1000 + nanoseconds / 1e6
    const times = [exchange.startTime, attempts[0]!.startTime, attempts[0]!.endTime, exchange.endTime].map(inMs)
    assert.deepEqual(
      times,
      times.toSorted((one, other) => one - other),
    )
    assert.ok(before <= times[0]! && times[0]! <= after)
    // Times since 1970 are exact to a quarter of a microsecond.
    assert.ok(times[3]! - times[0]! <= done - begun + 0.001)
  })

  test(`a request that is tried at three backends has four spans: ${lane} lane`, async (t) => {
    const resetting = await startBackend(t, (incoming) => incoming.socket.destroy())
    const sound = await startBackend(t)
    const refusing = await unusedOrigin()
    const { url } = await startTraced(t, [refusing, resetting.url, sound.url], { lane })
    assert.equal((await ask(url)).status, 200)
    const spans = await sdk.take(4)
    const { exchange, attempts } = arrange(spans)
    assert.equal(draw(exchange, spans).failed, false)
    assert.deepEqual(
      attempts.map((span) => {
        const { below, failed, attributes } = draw(span, spans)
        return [
          below,
          failed,
          attributes['fastify_balancer.backend'],
          attributes['http.request.resend_count'],
          attributes['fastify_balancer.outcome'],
          attributes['error.type'],
          attributes['http.response.status_code'],
          attributes['network.protocol.version'],
        ]
      }),
      [
        [exchange.name, true, 'a', undefined, 'connect-refused', 'connect-refused', undefined, undefined],
        [exchange.name, true, 'b', 1, 'reset-before-headers', 'reset-before-headers', undefined, undefined],
        [exchange.name, false, 'c', 2, 'ok', undefined, 200, '1.1'],
      ],
    )
    const received = [resetting, sound].flatMap((one) => one.received.map(({ headers }) => headers['traceparent']))
    assert.deepEqual(received, attempts.slice(1).map(traceparentOf))
  })

  test(`a request that nobody takes has a span without any below: ${lane} lane`, async (t) => {
    const { url } = await startTraced(t, [], { lane })
    assert.equal((await ask(url)).status, 503)
    const spans = await sdk.take(1)
    const { failed, attributes } = draw(spans[0]!, spans)
    assert.deepEqual(
      [
        failed,
        attributes['fastify_balancer.outcome'],
        attributes['error.type'],
        attributes['http.response.status_code'],
      ],
      [true, 'no-backend', 'no-backend', 503],
    )
  })

  test(`a client that leaves is no error: ${lane} lane`, async (t) => {
    const holding = await startBackend(t, () => {})
    const { url } = await startTraced(t, [holding.url], { lane })
    const outgoing = request(url, { agent: false }).on('error', () => {})
    outgoing.end()
    await until('it has arrived', () => holding.received.length === 1)
    outgoing.destroy()
    const spans = await sdk.take(2)
    for (const span of spans) {
      const { failed, attributes } = draw(span, spans)
      assert.deepEqual(
        [
          failed,
          attributes['fastify_balancer.outcome'],
          attributes['error.type'],
          'http.response.status_code' in attributes,
        ],
        [false, 'client-gone', undefined, false],
      )
    }
  })

  test(`a response that breaks off is an error of both, whatever its status: ${lane} lane`, async (t) => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const breaking = await startRawBackend(t, (socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n'))
      void begun.then(() => socket.destroy())
    })
    const { url } = await startTraced(t, [breaking], { lane })
    const outgoing = request(url, { agent: false }).on('response', (response) => {
      response.on('error', () => {}).once('data', begin)
    })
    outgoing.end()
    const spans = await sdk.take(2)
    for (const span of spans) {
      const { failed, attributes } = draw(span, spans)
      const { 'error.type': type, 'http.response.status_code': status } = attributes
      assert.deepEqual([failed, type, status], [true, 'body-truncated', 200])
    }
  })
}

for (const [status, exchangeFailed, attemptFailed] of [
  [302, false, false],
  [404, false, true],
  [503, true, true],
] as const)
  test(`which spans a response of ${status} makes errors`, async (t) => {
    const backend = await startBackend(t, (_request, response) => response.writeHead(status).end())
    const { url } = await startTraced(t, [backend.url])
    assert.equal((await ask(url)).status, status)
    const spans = await sdk.take(2)
    const { exchange, attempts } = arrange(spans)
    const errorOf = (failed: boolean) => (failed ? String(status) : undefined)
    for (const [span, expected] of [
      [exchange, exchangeFailed],
      [attempts[0]!, attemptFailed],
    ] as const) {
      const { failed, attributes } = draw(span, spans)
      assert.deepEqual(
        [failed, attributes['error.type'], attributes['http.response.status_code']],
        [expected, errorOf(expected), status],
      )
    }
  })

test('a response that is not wanted has a span too, that ends with the exchange at the latest', async (t) => {
  const first = await startBackend(t, (_request, response) => void response.writeHead(503).write('busy'))
  const second = await startBackend(t)
  const { url } = await startTraced(t, [first.url, second.url], { retry: { statuses: [503] } })
  assert.equal((await ask(url)).status, 200)
  const spans = await sdk.take(3)
  const { exchange, attempts } = arrange(spans)
  assert.equal(draw(exchange, spans).failed, false)
  assert.deepEqual(
    attempts.map((span) => draw(span, spans).attributes['error.type']),
    ['503', undefined],
  )
})

async function startHttp2Backend(t: TestContext) {
  const received: unknown[] = []
  const server = createServer((incoming, response) => {
    received.push(incoming.headers['traceparent'])
    response.end()
  })
  const url = await listen(server)
  t.after(() => void server.close())
  return { url, received }
}

test('a backend that speaks HTTP/2 hears of its attempt, and the span says so', async (t) => {
  const { url: backend, received } = await startHttp2Backend(t)
  const { url } = await startTraced(t, [backend], { pool: { protocol: 'h2c' } })
  assert.equal((await ask(url, { headers: { TraceParent: 'not one' } })).status, 200)
  const { attempts } = arrange(await sdk.take(2))
  assert.deepEqual(received, attempts.map(traceparentOf))
  assert.equal(attempts[0]!.attributes['network.protocol.version'], '2')
})

test("times are those of the balancer's clock, laid upon that of the wall", async (t) => {
  const clock = new ManualClock(5)
  const backend = await startBackend(t, (_request, response) => {
    clock.advance(250)
    response.end()
  })
  const { url } = await startTraced(t, [backend.url], { clock })
  await ask(url)
  const durations = (await sdk.take(2)).map(({ duration: [seconds, nanoseconds] }) =>
    Math.round(seconds * 1000 + nanoseconds / 1e6),
  )
  assert.deepEqual(durations, [250, 250])
})

test('after a thousand requests of every kind, no span is open', async (t) => {
  const sound = await startBackend(t, (incoming, response) => {
    if (incoming.url === '/cut') response.destroy()
    else if (incoming.url !== '/held') response.writeHead(incoming.url === '/bad' ? 500 : 200).end('x')
  })
  const { app, url } = await startTraced(t, [await unusedOrigin(), sound.url], {
    retry: { budget: { ratio: 1, floor: 1000 } },
  })
  const paths = ['/', '/bad', '/cut', '/held']
  const one = async (number: number) => {
    const path = paths[number % paths.length]!
    const leaving = new AbortController()
    const asked = ask(url + path, { signal: leaving.signal })
    if (path === '/held') setImmediate(() => leaving.abort())
    await asked
  }
  for (let round = 0; round < 20; round++)
    await Promise.all(Array.from({ length: 50 }, (_, index) => one(round * 50 + index)))
  await until('all have ended', () => app.balancer.exchanges === 0)
  await until('all spans have ended', () => sdk.ended.length === sdk.begun)
  const exchanges = sdk.ended.filter(({ name }) => name !== 'GET')
  // Those of clients that left before they were heard have none.
  assert.ok(exchanges.length >= 750 && exchanges.length <= 1000)
  const ids = new Set(sdk.ended.map((span) => span.spanContext().spanId))
  assert.equal(ids.size, sdk.ended.length)
})

test('the spans of a request for a tunnel end when it is open', async (t) => {
  const clock = new ManualClock(1000)
  const backend = await startUpgradeBackend(t, (head, { socket }) => {
    clock.advance(250)
    socket.on('end', () => socket.end())
    return `${switching(head)}\r\n`
  })
  const { app, port } = await startTraced(t, [backend.url], { clock })
  const client = await rawClient(t, port)
  client.send(handshake('/chat'))
  await client.until(/ 101 /)
  const spans = await sdk.take(2)
  const { exchange, attempts } = arrange(spans)
  for (const span of [exchange, attempts[0]!]) {
    assert.equal(span.attributes['http.response.status_code'], 101)
    assert.deepEqual(span.duration, [0, 250_000_000])
  }
  assert.match(backend.connections[0]!.head, new RegExp(`^traceparent: ${traceparentOf(attempts[0]!)}\r$`, 'm'))
  client.socket.destroy()
  await until('the tunnel is closed', () => app.balancer.exchanges === 0)
  assert.deepEqual([sdk.begun, sdk.ended.length], [0, 0])
})

test('stopped while a request is under way, it follows that to its end, takes nothing new, and leaves', async (t) => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const backend = await startBackend(t, (incoming, response) => {
    if (incoming.url === '/held') void released.then(() => response.end())
    else response.end()
  })
  backend.server.on('upgrade', ({ headers }, socket: Socket) => {
    socket.end(`${switching(`sec-websocket-key: ${headers['sec-websocket-key']}\r`)}\r\n`)
  })
  const { app, url, port } = await startApp(t, { backends: [backend.url] })
  const tracing = new Tracing(app, api)
  const names = ['exchange:start', 'exchange:end', 'tunnel:start', 'attempt:start', 'attempt:end']
  const heard = () => names.filter((name) => channel(`balancer-core:${name}`).hasSubscribers)
  tracing.start()
  // A tunnel has no more spans when it ends.
  const client = await rawClient(t, port)
  client.send(handshake())
  await client.closed()
  await until('the tunnel is closed', () => app.balancer.exchanges === 0)
  await sdk.take(2)
  const held = ask(`${url}/held`)
  await until('it has arrived', () => backend.received.length === 1)
  tracing.stop()
  assert.deepEqual(heard(), names.slice(1))
  assert.equal((await ask(`${url}/new`)).status, 200)
  release()
  assert.equal((await held).status, 200)
  const { exchange } = arrange(await sdk.take(2))
  assert.equal(exchange.attributes['url.path'], '/held')
  await until('nobody listens', () => heard().length === 0)
})
