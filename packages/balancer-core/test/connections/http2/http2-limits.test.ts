import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { codes, endStream, send, startFrameBackend, types } from '../../../../../test/support/http2-frames.ts'
import { until } from '../../../../../test/support/until.ts'
import { HeldBody } from '../../../src/connections/held-body.ts'
import { dispatch, poolOf } from './pool-of.ts'

const { headers, data, settings, goaway, reset } = send
const ok = { ':status': '200' }
const whole = (stream: number) => [headers(stream, ok), data(stream, 'body', endStream)]
/** Identifiers of settings (RFC 9113 §6.5.2, RFC 8441 §3). */
const [streams, window, connectProtocol] = [3, 4, 8]
const acked = (frames: readonly { type: number; bits: number }[]) =>
  frames.filter(({ type, bits }) => type === types.settings && bits === 1).length

describe('the number of streams', () => {
  test('follows the backend while it is connected: down, to none, and up', async (t) => {
    const backend = await startFrameBackend(t, {})
    const pool = poolOf(t, backend.url, { connections: 1 })
    const all = Array.from({ length: 4 }, () => dispatch(pool))
    await until('four are under way', () => backend.connections[0]?.streams.length === 4)
    const [connection] = backend.connections
    const says = async (limit: number) => {
      const before = acked(connection!.frames)
      connection!.write(settings({ [streams]: limit }))
      await until('it is known', () => acked(connection!.frames) > before)
    }
    assert.equal(pool.stats.allowed, 100)
    await says(2)
    const more = [dispatch(pool), dispatch(pool)]
    assert.deepEqual(pool.stats, { connected: 1, free: 0, pending: 2, queued: 2, running: 4, allowed: 2 })
    connection!.write(...whole(1), ...whole(3))
    await Promise.all([all[0]!.ended(), all[1]!.ended()])
    assert.deepEqual([pool.stats.running, pool.stats.queued], [2, 2])
    await says(0)
    connection!.write(...whole(5))
    await all[2]!.ended()
    assert.deepEqual([pool.stats.running, pool.stats.queued, pool.stats.allowed], [1, 2, 0])
    await says(5)
    await until('those that waited are under way', () => connection!.streams.length === 6)
    connection!.write(...[7, 9, 11].flatMap(whole))
    await Promise.all([...all, ...more].map((one) => one.ended()))
    assert.ok([...all, ...more].every(({ received, ends }) => received === 'body' && ends === 1))
    assert.equal(backend.connections.length, 1)
  })

  test('and whether extended CONNECT is possible, are known once it is connected', async (t) => {
    const backend = await startFrameBackend(t, {
      onConnection: (connection) => connection.write(settings({ [connectProtocol]: 1, [streams]: 7 })),
      onRequest: (connection, stream) => connection.write(...whole(stream)),
    })
    const pool = poolOf(t, backend.url)
    assert.deepEqual([pool.takesConnect, pool.stats.allowed], [undefined, 0])
    await dispatch(pool).ended()
    assert.deepEqual([pool.takesConnect, pool.stats.allowed], [true, 7])
  })
})

test('what a backend may send ahead is what the options say', async (t) => {
  const backend = await startFrameBackend(t, {
    onRequest: (connection, stream) => connection.write(...whole(stream)),
  })
  await dispatch(poolOf(t, backend.url, { streamWindow: 200_000, connectionWindow: 3_000_000 })).ended()
  const { frames } = backend.connections[0]!
  const { payload } = frames.find(({ type }) => type === types.settings)!
  const said = new Map<number, number>()
  for (let at = 0; at < payload.length; at += 6) said.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2))
  assert.equal(said.get(window), 200_000)
  const update = frames.find(({ type, stream }) => type === types.windowUpdate && stream === 0)!
  assert.equal(update.payload.readUInt32BE() + 65_535, 3_000_000)
})

test('a connection that is old enough finishes what it has, and another takes what follows', async (t) => {
  const backend = await startFrameBackend(t, {
    onRequest: (connection, stream) => {
      if (stream > 1 || connection.number > 1) connection.write(...whole(stream))
    },
  })
  let opened = 0
  const pool = poolOf(t, backend.url, { lifetime: () => (opened++ === 0 ? 1 : Infinity) })
  const one = dispatch(pool)
  await until('it is under way', () => backend.connections[0]?.streams.length === 1)
  while (backend.connections.length < 2) {
    const next = dispatch(pool)
    // oxlint-disable-next-line no-await-in-loop -- one after the other, until it is old enough
    await next.ended()
    assert.equal(next.received, 'body')
  }
  assert.equal(one.ends, 0)
  backend.connections[0]!.write(...whole(1))
  await one.ended()
  assert.equal(one.received, 'body')
  await until('it is closed', () => backend.connections[0]!.socket.destroyed)
  assert.equal(pool.stats.connected, 1)
})

describe('PING', () => {
  test('that is not answered ends the requests of a connection, and the connection', async (t) => {
    const backend = await startFrameBackend(t, {
      silent: true,
      onConnection: (connection) => connection.write(settings()),
      onRequest: (connection, stream) => {
        if (stream === 1) connection.write(headers(stream, ok), data(stream, 'begun'))
      },
    })
    const pool = poolOf(t, backend.url, { pingInterval: 10, pingTimeout: 10, connections: 1 })
    const all = [dispatch(pool), dispatch(pool)]
    await Promise.all(all.map((one) => one.ended()))
    for (const { error, ends, started, isWhole } of all) {
      assert.deepEqual([error?.code, ends, started, isWhole], ['ERR_HTTP2_SESSION_ERROR', 1, true, false])
      assert.match(error!.message, /PING/)
    }
    assert.equal(all[0]!.received, 'begun')
    await until('it is closed', () => backend.connections[0]!.socket.destroyed)
    assert.equal(pool.stats.connected, 0)
  })

  test('that is answered keeps a call which is silent for long; without requests there is none', async (t) => {
    const backend = await startFrameBackend(t, {})
    const pool = poolOf(t, backend.url, { pingInterval: 5, pingTimeout: 5000 })
    const one = dispatch(pool)
    const pings = () =>
      backend.connections[0]?.frames.filter(({ type, bits }) => type === types.ping && bits === 0).length
    await until('it was asked several times', () => (pings() ?? 0) > 3)
    assert.equal(one.ends, 0)
    backend.connections[0]!.write(...whole(1))
    await one.ended()
    assert.equal(one.received, 'body')
    const asked = pings()
    await new Promise((resolve) => void setTimeout(resolve, 30))
    assert.ok(pings()! <= asked! + 1)
  })
})

describe('a body that the backend has to ask for', () => {
  const held = (body: PassThrough, patience: number) =>
    ({ method: 'POST', body: null, held: new HeldBody(body, undefined, undefined, patience) }) as object
  const sentOn = (connection: { frames: readonly { type: number; payload: Buffer }[] }) =>
    connection.frames.flatMap(({ type, payload }) => (type === types.data ? [payload.toString()] : [])).join('')

  test('is sent once it has, and not before', async (t) => {
    const backend = await startFrameBackend(t, {
      onData: (connection, stream, _body, isWhole) => {
        if (isWhole) connection.write(...whole(stream))
      },
    })
    const body = new PassThrough()
    body.end('asked for')
    const one = dispatch(poolOf(t, backend.url), held(body, 60_000))
    await until('its head has come', () => backend.connections[0]?.streams.length === 1)
    assert.deepEqual([sentOn(backend.connections[0]!), body.readableFlowing, one.uploaded], ['', null, false])
    backend.connections[0]!.write(headers(1, { ':status': '100' }))
    await one.ended()
    assert.deepEqual([one.received, sentOn(backend.connections[0]!), one.informed], ['body', 'asked for', []])
  })

  test('is not sent if there is a response before', async (t) => {
    const backend = await startFrameBackend(t, {
      onRequest: (connection, stream) => connection.write(headers(stream, { ':status': '417' }, endStream)),
    })
    const body = new PassThrough()
    body.end('not wanted')
    const one = dispatch(poolOf(t, backend.url), held(body, 60_000))
    await one.ended()
    assert.deepEqual([one.status, one.isWhole, body.readableDidRead], [417, true, false])
    assert.equal(sentOn(backend.connections[0]!), '')
  })

  test('is still there if the backend has refused its stream', async (t) => {
    const backend = await startFrameBackend(t, {
      onRequest: (connection, stream) => connection.write(reset(stream, codes.refusedStream)),
    })
    const body = new PassThrough()
    body.end('kept')
    const one = dispatch(poolOf(t, backend.url), held(body, 60_000))
    await one.ended()
    assert.deepEqual([one.started, body.readableDidRead], [false, false])
    // Else the backend would be taken for one that never asks, and the body be sent to nobody.
    assert.ok(!process.getActiveResourcesInfo().includes('Timeout'), 'nothing waits for it to be asked for')
  })

  test('is sent after a while to one that never asks, and then at once', async (t) => {
    const backend = await startFrameBackend(t, {
      onData: (connection, stream, _body, isWhole) => {
        if (isWhole) connection.write(...whole(stream))
      },
    })
    const pool = poolOf(t, backend.url)
    for (const patience of [1, 60_000]) {
      const body = new PassThrough()
      body.end(`${patience}`)
      const one = dispatch(pool, held(body, patience))
      await one.ended()
      assert.equal(one.received, 'body')
    }
    assert.equal(sentOn(backend.connections[0]!), '160000')
  })
})

describe('a body of which a part has been sent', () => {
  test('is sent whole to the next connection after GOAWAY, with its trailers', async (t) => {
    const received: string[] = []
    const ends: number[] = []
    const backend = await startFrameBackend(t, {
      onData: (connection, stream, body) => {
        if (connection.number === 1) connection.write(goaway(0, codes.noError))
        else received.push(body.toString())
        // Its trailers come behind it.
        if (connection.number > 1 && body.length === 0) ends.push(stream)
      },
      onRequest: (connection, stream, isWhole) => {
        if (isWhole) connection.write(...whole(stream))
      },
    })
    const body = new PassThrough()
    body.write('a part ')
    const trailers = { pairs: ['x-sum', '1'] }
    const one = dispatch(poolOf(t, backend.url), { method: 'POST', body, trailers } as object)
    await until('it is at the next connection', () => received.length > 0)
    body.end('and the rest')
    await one.ended()
    assert.deepEqual([received.join(''), one.received, one.ends], ['a part and the rest', 'body', 1])
    assert.equal(one.sent, 'a part and the rest'.length)
  })

  test('which is longer than what is kept of it counts as sent', async (t) => {
    const backend = await startFrameBackend(t, {
      onData: (connection, stream, _body) => {
        if (connection.frames.filter(({ type }) => type === types.data).length > 3)
          connection.write(reset(stream, codes.refusedStream))
      },
    })
    const body = new PassThrough({ highWaterMark: 1_000_000 })
    body.write(Buffer.alloc(65_537))
    const one = dispatch(poolOf(t, backend.url), { method: 'POST', body })
    await one.ended()
    assert.deepEqual([one.started, backend.connections.length], [true, 1])
  })
})
