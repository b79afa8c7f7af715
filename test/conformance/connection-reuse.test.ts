import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import { startApp } from '../support/app.ts'
import { ManualClock } from '../support/clock.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend, type WireConnection } from './wire-backend.ts'
import { exchange, get, post } from './wire-client.ts'
import { valueOf, type WireMessage } from './wire-message.ts'

failOnCrash()

/** What does not come at all would otherwise be waited for until the backend is given up. */
const timeout = 60_000

/** Ways in which a backend can have closed a kept connection just when a request comes. */
const losses: Record<string, (socket: Socket) => void> = {
  'resets it': (socket) => void socket.resetAndDestroy(),
  'closes it': (socket) => void socket.end(),
}

/**
 * A backend that answers the first request of each connection, and loses the next one. The clock stands still: on a slow
 * machine, a loss would otherwise come too late to be that of a kept connection.
 */
async function startForgetful(t: TestContext, lose: (socket: Socket) => void, options: BalancerOptions = {}) {
  const backend = await startWireBackend(t, (_, connection) => {
    if (connection.requests === 1) connection.send(ok(String(connection.number)))
    else lose(connection.socket)
  })
  const { app, port } = await startApp(t, { backends: [backend.url], clock: new ManualClock(), ...options })
  assert.equal((await exchange(t, port, get('/first'))).body, '1')
  return { backend, port, balancer: app.balancer, only: app.balancer.backends[0]! }
}

const linesOf = (requests: readonly WireMessage[]) =>
  requests.map(({ start: line }) => line.split(' ').slice(0, 2).join(' '))

const answerTo = ({ start }: WireMessage) => (start.startsWith('HEAD') ? ok().slice(0, -2) : ok())

for (const lane of ['raw', 'full'] as const) {
  for (const [loss, lose] of Object.entries(losses)) {
    describe(`a backend that has a request on a kept connection and ${loss} (${lane} lane)`, () => {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']) {
        test(`is asked once more over a new one, without a budget: ${method}`, { timeout }, async (t) => {
          const retry = { methods: [], budget: { ratio: 0, floor: 0 } }
          const { backend, port, only } = await startForgetful(t, lose, { lane, retry, pool: { connections: 1 } })
          const response = await exchange(t, port, get('/again').replace('GET', method))
          assert.equal(response.status, 200)
          if (method !== 'HEAD') assert.equal(response.body, '2')
          assert.deepEqual(linesOf(backend.requests), ['GET /first', `${method} /again`, `${method} /again`])
          assert.equal(backend.connections.length, 2)
          assert.deepEqual(only.outcomes, { ok: 2, 'stale-connection': 1 })
          assert.equal(only.inFlight, 0)
        })
      }

      for (const method of ['PUT', 'DELETE', 'OPTIONS'])
        test(`is asked once more with a small body: ${method}`, { timeout }, async (t) => {
          const { backend, port } = await startForgetful(t, lose, { lane })
          const response = await exchange(t, port, post('hello').replace('POST', method))
          assert.equal(response.body, '2')
          assert.deepEqual(
            backend.requests.map(({ body }) => body),
            ['', 'hello', 'hello'],
          )
        })

      for (const [method, body] of [
        ['POST', 'hello'],
        ['POST', ''],
        ['PATCH', 'hello'],
        ['PATCH', ''],
      ] as const) {
        test(`gets no ${method} twice, ${body === '' ? 'without a body' : 'with one'}`, { timeout }, async (t) => {
          const { backend, port, only } = await startForgetful(t, lose, { lane, pool: { connections: 1 } })
          const response = await exchange(t, port, post(body).replace('POST', method))
          assert.equal(response.status, 502)
          assert.equal(JSON.parse(response.body).code, 'FST_BALANCER_STALE_CONNECTION')
          assert.deepEqual(linesOf(backend.requests), ['GET /first', `${method} /`])
          assert.deepEqual(only.outcomes, { ok: 1, 'stale-connection': 1 })
          // The failure has cost the Pool nothing.
          assert.equal((await exchange(t, port, get('/next'))).body, '2')
          assert.equal(only.inFlight, 0)
        })
      }

      test('gets no streamed body twice', { timeout }, async (t) => {
        const { backend, port } = await startForgetful(t, lose, { lane })
        const chunked = 'PUT / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
        assert.equal((await exchange(t, port, chunked)).status, 502)
        assert.deepEqual(linesOf(backend.requests), ['GET /first', 'PUT /'])
      })

      test('is not asked a third time', { timeout }, async (t) => {
        const backend = await startWireBackend(t, (request, connection) => {
          if (request.start.includes('/first')) connection.send(ok())
          else lose(connection.socket)
        })
        const { app, port } = await startApp(t, { backends: [backend.url], lane, clock: new ManualClock() })
        await exchange(t, port, get('/first'))
        assert.equal((await exchange(t, port, get('/again'))).status, 502)
        assert.deepEqual(linesOf(backend.requests), ['GET /first', 'GET /again', 'GET /again'])
        assert.deepEqual(app.balancer.backends[0]!.outcomes, {
          ok: 1,
          'stale-connection': 1,
          'reset-before-headers': 1,
        })
      })

      test('is not asked again where retries are off', { timeout }, async (t) => {
        const { backend, port } = await startForgetful(t, lose, { lane, retry: { attempts: 0 } })
        assert.equal((await exchange(t, port, get('/again'))).status, 502)
        assert.equal(backend.requests.length, 2)
      })

      test('is not asked again once it has begun to answer', { timeout }, async (t) => {
        const backend = await startWireBackend(t, (_, connection) => {
          if (connection.requests === 1) return connection.send(ok())
          connection.socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart', () => lose(connection.socket))
          return undefined
        })
        const { port } = await startApp(t, { backends: [backend.url], lane: 'raw' })
        await exchange(t, port, get('/first'))
        await assert.rejects(exchange(t, port, get('/again')), /closed in the midst of a response/)
        assert.equal(backend.requests.length, 2)
      })
    })
  }

  test(`a connection that was closed while idle is not used (${lane} lane)`, { timeout }, async (t) => {
    for (const [loss, lose] of Object.entries(losses)) {
      await t.test(loss, async (t) => {
        const backend = await startWireBackend(t, ok())
        const { app, port } = await startApp(t, { backends: [backend.url], lane, pool: { connections: 1 } })
        for (let count = 1; count <= 3; count++) {
          // A POST, which would not be sent again.
          assert.equal((await exchange(t, port, post('hello'))).status, 200)
          const { socket } = backend.connections.at(-1)!
          lose(socket)
          await until('it is closed', () => socket.closed)
        }
        assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 3 })
        assert.equal(backend.connections.length, 3)
        assert.equal(backend.requests.length, 3)
      })
    }
  })

  test(`which connection is kept after what (${lane} lane)`, { timeout }, async (t) => {
    const chunked = 'transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
    const plain = (method: string, body = '') =>
      `${method} / HTTP/1.1\r\nhost: a.example\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    const kept = {
      GET: get(),
      OPTIONS: get().replace('GET', 'OPTIONS'),
      DELETE: get().replace('GET', 'DELETE'),
      'GET of a client that closes': get('/', 'connection: close'),
      'POST with a body': plain('POST', 'hello'),
      'POST in chunks': `POST / HTTP/1.1\r\nhost: a.example\r\n${chunked}`,
      'PUT without a body': plain('PUT'),
      'PATCH with a body': plain('PATCH', 'hello'),
    }
    // A server that does not expect a body here might take it for the next request.
    const closed = {
      'GET with a body': plain('GET', 'hello'),
      'GET in chunks': `GET / HTTP/1.1\r\nhost: a.example\r\n${chunked}`,
      'HEAD with a body': plain('HEAD', 'hello'),
      'DELETE with a body': plain('DELETE', 'hello'),
      'OPTIONS with a body': plain('OPTIONS', 'hello'),
    }
    for (const [isKept, requests] of [
      [true, kept],
      [false, closed],
    ] as const) {
      for (const [name, request] of Object.entries(requests)) {
        await t.test(`${isKept ? 'kept' : 'closed'} after ${name}`, async (t) => {
          const backend = await startWireBackend(t, (message, connection) => connection.send(answerTo(message)))
          const { app, port } = await startApp(t, { backends: [backend.url], lane, pool: { connections: 1 } })
          for (let count = 0; count < 3; count++) assert.equal((await exchange(t, port, request)).status, 200)
          assert.equal(backend.requests.length, 3)
          assert.equal(backend.connections.length, isKept ? 1 : 3)
          assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 3 })
        })
      }
    }
  })
}

test('HEAD keeps its connection, once the first has been watched for stray bytes', { timeout }, async (t) => {
  const backend = await startWireBackend(t, (message, connection) => connection.send(answerTo(message)))
  const { port } = await startApp(t, { backends: [backend.url] })
  const head = get().replace('GET', 'HEAD')
  const isReused = () => backend.connections.some(({ requests }) => requests > 1)
  while (!isReused()) assert.equal((await exchange(t, port, head)).status, 200)
  const { length } = backend.connections
  for (let count = 0; count < 3; count++) assert.equal((await exchange(t, port, head)).status, 200)
  assert.equal(backend.connections.length, length)
})

describe('what a backend says of how long it keeps a connection', () => {
  const hint = (value: string) => ok('ok', 'connection: keep-alive', `keep-alive: ${value}`)
  test('too short a time means that none is kept', { timeout }, async (t) => {
    const backend = await startWireBackend(t, hint('timeout=1'))
    const { port } = await startApp(t, { backends: [backend.url] })
    for (let count = 0; count < 3; count++) assert.equal((await exchange(t, port, post('hello'))).status, 200)
    assert.equal(backend.connections.length, 3)
  })
  test('it is not passed on to clients, who are told our own', { timeout }, async (t) => {
    const backend = await startWireBackend(t, hint('timeout=600, max=1000'))
    const { port } = await startApp(t, { backends: [backend.url] }, { keepAliveTimeout: 7000 })
    assert.equal(valueOf(await exchange(t, port, get()), 'keep-alive'), 'timeout=7')
  })
})

test('a lost connection is blamed on nobody', { timeout }, async (t) => {
  const ends: (string | undefined)[] = []
  const { balancer, port } = await startForgetful(t, losses['resets it']!)
  balancer.addHook('onAttemptEnd', ({ blame }) => void ends.push(blame))
  assert.equal((await exchange(t, port, get('/again'))).status, 200)
  assert.deepEqual(ends, ['proxy', undefined])
})

test('a burst of requests on kept connections that are all lost is answered whole', { timeout }, async (t) => {
  const count = 20
  let waiting: WireConnection[] = []
  let losing = false
  const backend = await startWireBackend(t, (_, connection) => {
    if (losing && connection.requests > 1) return connection.socket.resetAndDestroy()
    waiting.push(connection)
    // Held back until all have come, so that each has a connection.
    if (waiting.length === count || losing) for (const one of waiting.splice(0)) one.send(ok())
    return undefined
  })
  const { app, port } = await startApp(t, {
    backends: [backend.url],
    retry: { budget: { floor: 100 } },
    clock: new ManualClock(),
  })
  const burst = () => Promise.all(Array.from({ length: count }, () => exchange(t, port, get())))
  await burst()
  assert.equal(backend.connections.length, count)
  losing = true
  waiting = []
  const responses = await burst()
  assert.deepEqual(
    responses.map(({ status }) => status),
    Array.from({ length: count }, () => 200),
  )
  const { ok: answered, 'stale-connection': lost = 0, ...others } = app.balancer.backends[0]!.outcomes
  assert.deepEqual(others, {})
  assert.equal(answered, 2 * count)
  assert.ok(lost > 0)
  assert.equal(backend.requests.length, 2 * count + lost)
})

test('a connection that has become older than `pool.maxAge` gets no other request', { timeout }, async (t) => {
  for (const [maxAge, connections] of [
    [2, 3],
    [600_000, 1],
  ] as const) {
    let since = 0
    const backend = await startWireBackend(
      t,
      (_, connection) => {
        // Meanwhile its connection gets old.
        while (performance.now() - since < 4);
        connection.send(ok(String(connection.number)))
      },
      { onConnection: () => void (since = performance.now()) },
    )
    const { port } = await startApp(t, { backends: [backend.url], pool: { maxAge }, random: () => 0.5 })
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (let count = 0; count < 3; count++) await exchange(t, port, get('/'))
    assert.equal(backend.connections.length, connections)
  }
})
