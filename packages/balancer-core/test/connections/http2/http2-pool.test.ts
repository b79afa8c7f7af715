import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { PassThrough, Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { listen } from '../../../../../test/support/backend.ts'
import { codes, endStream, send, startFrameBackend, types } from '../../../../../test/support/http2-frames.ts'
import { until } from '../../../../../test/support/until.ts'
import { dispatch, poolOf, Recorded } from './pool-of.ts'

const { headers, data, reset, goaway, settings } = send
const ok = { ':status': '200' }
const whole = (stream: number) => [headers(stream, ok), data(stream, 'body', endStream)]
/** MAX_CONCURRENT_STREAMS */
const streams = 3

describe('until there is a stream', () => {
  test('a backend that never sends SETTINGS has the time to connect, and no more', async (t) => {
    const backend = await startFrameBackend(t, { silent: true })
    const pool = poolOf(t, backend.url, { connectTimeout: 100 })
    const one = dispatch(pool, { method: 'POST', body: 'x' as never })
    await one.ended()
    assert.deepEqual([one.error?.code, one.started], ['UND_ERR_CONNECT_TIMEOUT', false])
    await until('its connection is closed', () => backend.connections.every(({ socket }) => socket.destroyed))
    assert.deepEqual(pool.stats, { connected: 0, free: 0, pending: 0, queued: 0, running: 0, allowed: 0 })
  })

  test('a backend that takes no streams has that time, too, and is asked anew after that', async (t) => {
    const backend = await startFrameBackend(t, {
      onConnection: (connection) => connection.write(settings(connection.number === 1 ? { [streams]: 0 } : {})),
      onRequest: (connection, stream) => connection.write(...whole(stream)),
    })
    const pool = poolOf(t, backend.url, { connectTimeout: 300 })
    const one = dispatch(pool)
    await one.ended()
    assert.deepEqual([one.error?.code, one.started], ['UND_ERR_CONNECT_TIMEOUT', false])
    assert.equal(backend.connections.length, 1)
    const later = dispatch(pool)
    await later.ended()
    assert.equal(later.received, 'body')
  })

  test('a backend that takes streams later is sent what waits', async (t) => {
    const backend = await startFrameBackend(t, {
      onConnection: (connection) => connection.write(settings({ [streams]: 0 })),
      onRequest: (connection, stream) => connection.write(...whole(stream)),
    })
    const pool = poolOf(t, backend.url)
    const one = dispatch(pool)
    await until('its SETTINGS have come', () => pool.stats.connected === 1)
    assert.equal(pool.stats.pending, 1)
    backend.connections[0]!.write(settings({ [streams]: 1 }))
    await one.ended()
    assert.equal(one.received, 'body')
  })

  test('whoever waits can leave, and is not sent', async (t) => {
    const backend = await startFrameBackend(t, {
      silent: true,
      onRequest: (connection, stream) => connection.write(...whole(stream)),
    })
    const pool = poolOf(t, backend.url)
    const [leaving, staying] = [dispatch(pool), dispatch(pool)]
    leaving.controller!.abort(new Error('has left'))
    assert.deepEqual([leaving.error?.message, leaving.ends, pool.stats.pending], ['has left', 1, 1])
    await until('it is connected to', () => backend.connections.length === 1)
    backend.connections[0]!.write(settings())
    await staying.ended()
    assert.equal(staying.received, 'body')
    assert.deepEqual(backend.connections[0]!.streams, [1])
  })

  test('a backend that takes few streams is connected to more often, up to the limit', async (t) => {
    const backend = await startFrameBackend(t, {
      onConnection: (connection) => connection.write(settings({ [streams]: 2 })),
    })
    const pool = poolOf(t, backend.url, { connections: 2 })
    const all = Array.from({ length: 5 }, () => dispatch(pool))
    await until('four are under way', () => backend.connections.flatMap((one) => one.streams).length === 4)
    assert.deepEqual(pool.stats, { connected: 2, free: 0, pending: 1, queued: 1, running: 4, allowed: 4 })
    assert.deepEqual(
      backend.connections.map((connection) => connection.streams),
      [
        [1, 3],
        [1, 3],
      ],
    )
    backend.connections[1]!.write(...whole(3))
    await until('the fifth has its place', () => backend.connections[1]!.streams.length === 3)
    for (const connection of backend.connections)
      for (const stream of connection.streams)
        if (stream !== 3 || connection.number === 1) connection.write(...whole(stream))
    await Promise.all(all.map((one) => one.ended()))
    assert.ok(all.every(({ isWhole, ends }) => isWhole && ends === 1))
    assert.equal(backend.connections.length, 2)
  })

  test('what speaks no HTTP/2, or closes at once, fails what was not sent', async (t) => {
    for (const answer of ['HTTP/1.1 400 Bad Request\r\n\r\n', '', undefined]) {
      const backend = await startFrameBackend(t, {
        onConnection: ({ socket }) => {
          if (answer === undefined) socket.resetAndDestroy()
          else socket.end(answer)
        },
      })
      const one = dispatch(poolOf(t, backend.url))
      await one.ended()
      assert.deepEqual([one.started, one.ends], [false, 1])
      assert.match(one.error!.code!, /^(UND_ERR_SOCKET|ECONNRESET)$/)
    }
  })

  test('what cannot be sent is refused before anything is', async (t) => {
    const backend = await startFrameBackend(t, {})
    const pool = poolOf(t, backend.url)
    for (const options of [
      { headers: ['x-bad', 'a\0b'] },
      { headers: ['x-bad', 'a\nb'] },
      { headers: ['bad name', 'a'] },
      { method: 'GE T' as 'GET' },
    ]) {
      const one = dispatch(pool, options)
      assert.deepEqual([one.error?.code, one.started, one.ends], ['UND_ERR_INVALID_ARG', false, 1])
    }
    assert.equal(backend.connections.length, 0)
  })
})

describe('a stream that the backend has not looked at', () => {
  test('RST_STREAM with REFUSED_STREAM was never sent, while its body is still there', async (t) => {
    const backend = await startFrameBackend(t, {
      onRequest: (connection, stream) => connection.write(reset(stream, codes.refusedStream)),
    })
    const pool = poolOf(t, backend.url)
    for (const body of [null, Buffer.from('body'), new PassThrough()]) {
      const one = dispatch(pool, { method: 'POST', body })
      await one.ended()
      assert.deepEqual([one.error?.code, one.started, one.ends], ['ERR_HTTP2_STREAM_ERROR', false, 1])
    }
  })

  test('one whose body has been read in part was sent', async (t) => {
    const backend = await startFrameBackend(t, {
      onData: (connection, stream) => connection.write(reset(stream, codes.refusedStream)),
    })
    const body = new PassThrough()
    body.write('a part')
    const one = dispatch(poolOf(t, backend.url), { method: 'POST', body })
    await one.ended()
    assert.deepEqual([one.error?.code, one.started], ['ERR_HTTP2_STREAM_ERROR', true])
  })

  for (const code of [codes.noError, codes.internalError]) {
    test(`above the last one of a GOAWAY with code ${code}: another connection takes it`, async (t) => {
      const backend = await startFrameBackend(t, {
        onData: (connection, stream, _body, isWhole) => {
          if (!isWhole) return
          if (connection.number > 1) connection.write(...whole(stream))
          else if (connection.streams.length === 3) connection.write(...whole(1), goaway(1, code))
        },
      })
      const pool = poolOf(t, backend.url)
      const all = Array.from({ length: 3 }, () => dispatch(pool, { method: 'POST', body: Buffer.from('asked') }))
      await Promise.all(all.map((one) => one.ended()))
      assert.deepEqual(
        all.map(({ received, ends, isWhole }) => [received, ends, isWhole]),
        [
          ['body', 1, true],
          ['body', 1, true],
          ['body', 1, true],
        ],
      )
      assert.deepEqual(backend.connections[1]!.streams, [1, 3])
      await until('the first connection is closed', () => backend.connections[0]!.socket.destroyed)
    })
  }

  test('a backend that sends everybody away is not asked for ever', async (t) => {
    const backend = await startFrameBackend(t, {
      onRequest: (connection) => connection.write(goaway(0, codes.noError)),
    })
    const one = dispatch(poolOf(t, backend.url), { method: 'POST', body: Buffer.from('asked') })
    await one.ended()
    assert.deepEqual([one.started, one.ends, backend.connections.length], [false, 1, 4])
  })

  test('streams that a GOAWAY does not exclude end as usual, and nothing follows them', async (t) => {
    const backend = await startFrameBackend(t, {
      onRequest: (connection, stream) => {
        if (connection.number === 1) connection.write(headers(stream, ok), goaway(2 ** 31 - 1, codes.noError))
        else connection.write(...whole(stream))
      },
    })
    const pool = poolOf(t, backend.url, { connections: 1 })
    const one = dispatch(pool)
    await until('it has begun', () => one.status === 200)
    const other = dispatch(pool)
    await other.ended()
    assert.deepEqual([other.received, backend.connections.length], ['body', 2])
    backend.connections[0]!.write(data(1, 'late', endStream))
    await one.ended()
    assert.equal(one.received, 'late')
    await until('its connection is closed', () => backend.connections[0]!.socket.destroyed)
  })
})

describe('a reader that pauses', () => {
  const trailers = { 'grpc-status': '0' }
  const chunk = 'x'.repeat(10_000)
  const sendChunks = (stream: number) => Array.from({ length: 6 }, () => data(stream, chunk))

  for (const [name, last, isWhole] of [
    ['trailers', [headers(1, trailers, endStream)], true],
    ['END_STREAM, and the connection ends', [data(1, '', endStream), goaway(1, codes.internalError)], true],
    ['END_STREAM, and a reset', [data(1, '', endStream), reset(1, codes.internalError)], true],
    ['RST_STREAM with NO_ERROR', [reset(1, codes.noError)], false],
    ['RST_STREAM with CANCEL', [reset(1, codes.cancel)], false],
    ['a GOAWAY with an error', [goaway(1, codes.internalError)], false],
    ['a graceful GOAWAY and the end of the connection', [goaway(1, codes.noError)], false],
  ] as const) {
    for (const body of [null, new PassThrough()]) {
      test(`${isWhole ? 'loses nothing' : 'is not told of an end'}: ${name}${body === null ? '' : ', while it sends'}`, async (t) => {
        const backend = await startFrameBackend(t, {
          onRequest: (connection, stream) => {
            connection.write(headers(stream, ok), ...sendChunks(stream), ...last)
            if (name.includes('connection')) connection.socket.end()
          },
        })
        const pool = poolOf(t, backend.url)
        const one = new Recorded()
        one.onChunk = (controller) => controller.pause()
        pool.dispatch({ method: 'POST', path: '/', headers: [], body }, one)
        await until('it has paused', () => one.chunks.length > 0)
        // Whatever the backend has sent is here, and still the reader does not read.
        const { socket } = backend.connections[0]!
        await new Promise<void>((resolve) => socket.write('', () => setImmediate(resolve)))
        one.onChunk = undefined
        one.controller!.resume()
        await one.ended()
        assert.deepEqual([one.isWhole, one.ends], [isWhole, 1])
        if (isWhole) assert.equal(one.received.length, 60_000)
        if (name === 'trailers') assert.deepEqual(one.trailers, trailers)
      })
    }
  }

  test('holds up its backend, and no other stream', async (t) => {
    let sent = 0
    const server = createServer()
    server.on('stream', (stream: ServerHttp2Stream, { ':path': path }: IncomingHttpHeaders) => {
      stream.respond(ok)
      if (path !== '/endless') {
        stream.end('body')
        return
      }
      stream.on('error', () => {})
      const more = () => {
        while (!stream.destroyed && stream.write(chunk)) sent += chunk.length
      }
      stream.on('drain', more)
      more()
    })
    const url = await listen(server)
    t.after(() => void server.close())
    const pool = poolOf(t, url, { connections: 1 })
    const one = new Recorded()
    one.onChunk = (controller) => controller.pause()
    pool.dispatch({ method: 'GET', path: '/endless', headers: [] }, one)
    await until('it has paused', () => one.chunks.length > 0)
    for (let count = 0; count < 50; count++) {
      const other = dispatch(pool)
      await other.ended()
      assert.equal(other.received, 'body')
    }
    assert.ok(sent < 1_000_000, `${sent} bytes were sent to a reader that does not read`)
    one.controller!.abort(new Error('enough'))
    assert.deepEqual([one.error?.message, one.ends], ['enough', 1])
  })
})

describe('an upload', () => {
  const broken: Readonly<Record<string, (body: PassThrough, one: Recorded) => void>> = {
    'its client leaves': (_body, one) => one.controller!.abort(new Error('has left')),
    'its client leaves in the midst of a piece': (body, one) => {
      body.on('data', () => one.controller!.abort(new Error('has left')))
      body.write('more')
    },
    'its body breaks': (body) => body.destroy(new Error('broken')),
    'its body ends without an end': (body) => body.destroy(),
  }
  for (const [name, breakOff] of Object.entries(broken)) {
    test(`that is broken off is never ended: ${name}`, async (t) => {
      const backend = await startFrameBackend(t, {})
      const pool = poolOf(t, backend.url)
      const body = new PassThrough()
      body.on('error', () => {})
      body.write('a part')
      const one = dispatch(pool, { method: 'POST', body })
      await until(
        'a part has come',
        () => backend.connections[0]?.frames.some(({ type }) => type === types.data) === true,
      )
      breakOff(body, one)
      await one.ended()
      const { frames, resets } = backend.connections[0]!
      await until('it is reset', () => resets.size === 1)
      assert.equal(resets.get(1), codes.cancel)
      assert.ok(frames.every(({ type, bits }) => type !== types.data || (bits & endStream) === 0))
      assert.deepEqual([one.ends, one.isWhole, pool.stats.running], [1, false, 0])
      // The connection is as good as before.
      const other = dispatch(pool)
      await until('it was asked again', () => backend.connections[0]!.streams.length === 2)
      backend.connections[0]!.write(...whole(3))
      await other.ended()
      assert.equal(other.received, 'body')
    })
  }

  for (const kind of ['stream', 'Buffer'] as const) {
    test(`is sent no faster than the backend takes it, and whole: ${kind}`, async (t) => {
      const large = Buffer.alloc(1_000_000, 'abcdefghij')
      const received: Buffer[] = []
      const backend = await startFrameBackend(t, {
        onData: (connection, stream, piece, isWhole) => {
          received.push(piece)
          if (isWhole) connection.write(...whole(stream))
        },
      })
      let read = 0
      const pieces = function* () {
        for (let offset = 0; offset < large.length; offset += 10_000) {
          read += 10_000
          yield large.subarray(offset, offset + 10_000)
        }
      }
      const body = kind === 'stream' ? Readable.from(pieces(), { objectMode: false }) : large
      const one = dispatch(poolOf(t, backend.url), { method: 'POST', body })
      const taken = () => received.reduce((sum, piece) => sum + piece.length, 0)
      // What may be sent unasked (RFC 9113 §6.9.2).
      await until('its window is full', () => taken() === 65_535)
      assert.ok(read < 200_000, `${read} bytes were read from the client`)
      assert.equal(one.uploaded, false)
      assert.ok(one.sent < 300_000, `${one.sent} bytes count as sent`)
      backend.connections[0]!.write(send.windowUpdate(0, 2_000_000), send.windowUpdate(1, 2_000_000))
      await one.ended()
      assert.deepEqual([one.isWhole, one.sent, one.uploaded], [true, large.length, true])
      assert.ok(Buffer.concat(received).equals(large))
    })
  }
})

describe('a connection', () => {
  test('that is idle is closed in time, and one that is used is not', async (t) => {
    const backend = await startFrameBackend(t, {
      onRequest: (connection, stream) => connection.write(...whole(stream)),
    })
    const pool = poolOf(t, backend.url, { keepAliveTimeout: 50 })
    await dispatch(pool).ended()
    await until('it is closed', () => backend.connections[0]!.socket.destroyed)
    assert.ok(backend.connections[0]!.frames.some(({ type }) => type === types.goaway))
    assert.equal(pool.stats.connected, 0)
    const one = dispatch(pool)
    await one.ended()
    assert.equal(one.received, 'body')
  })

  test('that was closed before its backend can have seen a request is stale; one that answered is not', async (t) => {
    const backend = await startFrameBackend(t, {
      onRequest: (connection, stream) => {
        if (stream === 1) connection.write(...whole(stream))
        else connection.socket.destroy()
      },
    })
    let now = 0
    const pool = poolOf(t, backend.url, { now: () => now })
    await dispatch(pool).ended()
    const stale = dispatch(pool)
    await stale.ended()
    assert.deepEqual([stale.error?.code, stale.started], ['UND_ERR_SOCKET', true])

    await dispatch(pool).ended()
    const late = dispatch(pool)
    now = 60
    await late.ended()
    assert.deepEqual([late.error?.code, late.started], ['ERR_HTTP2_SESSION_ERROR', true])

    const fresh = dispatch(pool)
    const beside = dispatch(pool)
    await Promise.all([fresh.ended(), beside.ended()])
    assert.equal(beside.error?.code ?? fresh.error?.code, 'ERR_HTTP2_SESSION_ERROR')
  })

  test('that has been silent for long when a request is given up gets no other', async (t) => {
    const backend = await startFrameBackend(t, {
      onRequest: (connection, stream) => {
        if (connection.number > 1) connection.write(...whole(stream))
      },
    })
    let now = 0
    const pool = poolOf(t, backend.url, { now: () => now })
    const [one, staying] = [dispatch(pool), dispatch(pool)]
    await until('they are under way', () => backend.connections[0]?.streams.length === 2)
    now = 2000
    one.controller!.abort(new Error('too long'))
    const other = dispatch(pool)
    await other.ended()
    assert.deepEqual([other.received, backend.connections.length], ['body', 2])
    // What it still has may end well.
    backend.connections[0]!.write(...whole(3))
    await staying.ended()
    assert.equal(staying.received, 'body')
    await until('it is closed', () => backend.connections[0]!.socket.destroyed)
  })

  test('closes when its pool does, after what it has', async (t) => {
    const backend = await startFrameBackend(t, {})
    const pool = poolOf(t, backend.url)
    const one = dispatch(pool)
    const closed = pool.close()
    await until('it is under way', () => backend.connections[0]?.streams.length === 1)
    const late = dispatch(pool)
    assert.equal(late.error?.code, 'UND_ERR_CLOSED')
    backend.connections[0]!.write(...whole(1))
    await one.ended()
    assert.equal(one.received, 'body')
    await closed
    await until('its connection is closed', () => backend.connections[0]!.socket.destroyed)
  })

  test('is cut with its pool, and what it has ends once', async (t) => {
    const backend = await startFrameBackend(t, {
      onConnection: (connection) => connection.write(settings({ [streams]: 1 })),
    })
    const pool = poolOf(t, backend.url, { connections: 1 })
    const [one, waiting] = [dispatch(pool), dispatch(pool)]
    await until('one is under way', () => backend.connections[0]?.streams.length === 1)
    await pool.destroy()
    for (const { error, ends } of [one, waiting, dispatch(pool)])
      assert.deepEqual([error?.code, ends], ['UND_ERR_DESTROYED', 1])
    await until('its connection is closed', () => backend.connections[0]!.socket.destroyed)
    assert.deepEqual(pool.stats, { connected: 0, free: 0, pending: 0, queued: 0, running: 0, allowed: 0 })
  })

  test('outlives a handler that throws', async (t) => {
    const backend = await startFrameBackend(t, {
      onRequest: (connection, stream) => connection.write(...whole(stream)),
    })
    const pool = poolOf(t, backend.url)
    for (const method of ['onResponseStart', 'onResponseData', 'onResponseEnd'] as const) {
      const one = new Recorded()
      one[method] = () => {
        throw new Error('thrown')
      }
      pool.dispatch({ method: 'GET', path: '/', headers: [] }, one)
      await one.ended()
      assert.deepEqual([one.error?.message, one.ends], ['thrown', 1])
    }
    assert.equal(backend.connections.length, 1)
  })
})

test('the fields of a request are those of HTTP/2', async (t) => {
  const seen: IncomingHttpHeaders[] = []
  const server = createServer()
  server.on('stream', (stream: ServerHttp2Stream, fields: IncomingHttpHeaders) => {
    seen.push(fields)
    stream.respond(ok, { endStream: true })
  })
  const url = await listen(server)
  t.after(() => void server.close())
  const pool = poolOf(t, url)
  await dispatch(pool, {
    path: '/a%2Fb?c=d',
    headers: [
      ...['Host', 'front.test', 'X-Own', 'one', 'x-own', 'two', 'Cookie', 'a=1', 'cookie', 'b=2', 'TE', 'trailers'],
      ...['Connection', 'close', 'Keep-Alive', '1', 'Transfer-Encoding', 'chunked', 'Upgrade', 'x'],
      ...['User-Agent', 'x', 'user-agent', 'y', 'X-Latin', 'caf\u00e9'],
    ],
  }).ended()
  const { ':authority': authority, ':path': path, ':scheme': scheme, ':method': method, ...rest } = seen[0]!
  assert.deepEqual([method, scheme, authority, path], ['GET', 'http', 'front.test', '/a%2Fb?c=d'])
  assert.deepEqual(Object.fromEntries(Object.entries(rest)), {
    'x-own': 'one, two',
    cookie: 'a=1; b=2',
    te: 'trailers',
    'user-agent': 'x, y',
    'x-latin': 'caf\u00e9',
  })
  await dispatch(pool, { method: 'OPTIONS', path: 'http://front.test', headers: [] }).ended()
  assert.deepEqual([seen[1]![':path'], seen[1]![':authority']], ['*', new URL(url).host])
  await dispatch(pool, { method: 'POST', headers: [], body: Buffer.from('four') }).ended()
  assert.equal(seen[2]!['content-length'], '4')
})

test('the header of a response has a limit', async (t) => {
  const server = createServer({ maxSendHeaderBlockLength: 1_000_000 })
  server.on('stream', (stream: ServerHttp2Stream, { ':path': path }: IncomingHttpHeaders) => {
    stream.on('error', () => {})
    const large = 'x'.repeat(path === '/below' ? 10_000 : 20_000)
    stream.respond({ ...ok, 'x-1': large, 'x-2': large, 'x-3': large, 'x-4': large }, { endStream: true })
  })
  const url = await listen(server)
  t.after(() => void server.close())
  const pool = poolOf(t, url)
  const over = dispatch(pool)
  const below = dispatch(pool, { path: '/below' })
  await Promise.all([over.ended(), below.ended()])
  assert.deepEqual([over.error?.code, over.status], ['UND_ERR_HEADERS_OVERFLOW', 0])
  assert.equal(below.isWhole, true)
})

test('the fields of a response keep their repetitions, and names that objects have of their own', async (t) => {
  const backend = await startFrameBackend(t, {
    onRequest: (connection, stream) => {
      const fields = { ...ok, 'set-cookie': 'a=1', 'x-own': 'one', ['__proto__']: 'kept', constructor: 'kept' }
      const extra = send.headers(stream, { 'set-cookie': 'b=2' }, endStream)
      connection.write(headers(stream, fields), data(stream, 'body'), extra)
    },
  })
  const one = dispatch(poolOf(t, backend.url))
  await one.ended()
  assert.deepEqual(Object.entries(one.headers), [
    ['set-cookie', 'a=1'],
    ['x-own', 'one'],
    ['__proto__', 'kept'],
    ['constructor', 'kept'],
  ])
  assert.deepEqual(one.trailers, { 'set-cookie': 'b=2' })
})
