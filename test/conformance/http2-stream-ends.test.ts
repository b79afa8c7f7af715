import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { codes, endStream, send, startFrameBackend, types, type FrameConnection } from '../support/http2-frames.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'

failOnCrash()

const lanes = ['raw', 'full'] as const
const ok = { ':status': '200', 'content-type': 'text/plain' }
const { headers, data, reset, goaway } = send

/** How a response is sent, in pieces that each are a write of their own. */
type Ending = (stream: number) => readonly (readonly Buffer[] | 'fin' | 'rst')[]

const head = (stream: number) => headers(stream, ok)

const wholeEnds: Readonly<Record<string, Ending>> = {
  'END_STREAM with the last data': (stream) => [[head(stream)], [data(stream, 'body', endStream)]],
  'END_STREAM with empty data': (stream) => [[head(stream)], [data(stream, 'body')], [data(stream, '', endStream)]],
  'all in one write': (stream) => [[head(stream), data(stream, 'body', endStream)]],
  trailers: (stream) => [[head(stream), data(stream, 'body')], [headers(stream, { 'x-sum': '1' }, endStream)]],
  'END_STREAM, and the connection is closed at once': (stream) => [
    [head(stream), data(stream, 'body', endStream)],
    'fin',
  ],
  'END_STREAM, and a GOAWAY with an error at once': (stream) => [
    [head(stream), data(stream, 'body', endStream), goaway(stream, codes.internalError)],
    'fin',
  ],
  'a graceful GOAWAY in the midst of it': (stream) => [
    [head(stream), goaway(stream, codes.noError)],
    [data(stream, 'body')],
    [data(stream, '', endStream)],
  ],
  'its length': (stream) => [
    [headers(stream, { ...ok, 'content-length': '4' })],
    [data(stream, 'bo')],
    [data(stream, 'dy', endStream)],
  ],
  'interim responses before it': (stream) => [
    [headers(stream, { ':status': '103', link: '</a.css>; rel=preload' }), headers(stream, { ':status': '102' })],
    [head(stream), data(stream, 'body', endStream)],
  ],
}

const brokenEnds: Record<string, Ending> = {}
for (const [name, code] of [
  ['NO_ERROR', codes.noError],
  ['CANCEL', codes.cancel],
  ['INTERNAL_ERROR', codes.internalError],
  ['REFUSED_STREAM', codes.refusedStream],
] as const) {
  brokenEnds[`RST_STREAM with ${name} after data`] = (stream) => [
    [head(stream)],
    [data(stream, 'body')],
    [reset(stream, code)],
  ]
  brokenEnds[`RST_STREAM with ${name}, all in one write`] = (stream) => [
    [head(stream), data(stream, 'body'), reset(stream, code)],
  ]
  brokenEnds[`RST_STREAM with ${name} after the headers`] = (stream) => [[head(stream)], [reset(stream, code)]]
  brokenEnds[`RST_STREAM with ${name} short of its length`] = (stream) => [
    [headers(stream, { ...ok, 'content-length': '400' }), data(stream, 'body')],
    [reset(stream, code)],
  ]
}
Object.assign(brokenEnds, {
  'the connection is closed': (stream) => [[head(stream)], [data(stream, 'body')], 'fin'],
  'the connection is closed in the same write': (stream) => [[head(stream), data(stream, 'body')], 'fin'],
  'the connection is reset': (stream) => [[head(stream)], [data(stream, 'body')], 'rst'],
  'a graceful GOAWAY, and then nothing': (stream) => [
    [head(stream), data(stream, 'body'), goaway(stream, codes.noError)],
    'fin',
  ],
  'a GOAWAY with an error': (stream) => [[head(stream)], [data(stream, 'body'), goaway(stream, codes.internalError)]],
  'a GOAWAY that excludes the stream': (stream) => [[head(stream)], [data(stream, 'body'), goaway(0, codes.noError)]],
  'END_STREAM short of its length': (stream) => [
    [headers(stream, { ...ok, 'content-length': '400' })],
    [data(stream, 'body', endStream)],
  ],
  'END_STREAM beyond its length': (stream) => [
    [headers(stream, { ...ok, 'content-length': '3' })],
    [data(stream, 'body', endStream)],
  ],
  'trailers that do not end the stream': (stream) => [
    [head(stream), data(stream, 'body')],
    [headers(stream, { 'x-sum': '1' })],
    'fin',
  ],
} satisfies Record<string, Ending>)

/** Sends the pieces, each when the one before has left. */
function play({ socket }: FrameConnection, pieces: ReturnType<Ending>): void {
  const [piece, ...rest] = pieces
  if (piece === undefined || socket.destroyed) return
  if (piece === 'fin') socket.end()
  else if (piece === 'rst') socket.resetAndDestroy()
  else socket.write(Buffer.concat(piece), () => setImmediate(() => play({ socket } as FrameConnection, rest)))
}

async function start(t: TestContext, lane: (typeof lanes)[number], ending: Ending) {
  const backend = await startFrameBackend(t, {
    onRequest: (connection, stream, isWhole) => {
      if (isWhole) play(connection, ending(stream))
    },
    onData: (connection, stream, _body, isWhole) => {
      if (isWhole) play(connection, ending(stream))
    },
  })
  const one = await startApp(t, {
    backends: [{ url: backend.url, id: 'one' }],
    pool: { protocol: 'h2c' },
    lane,
    retry: { attempts: 0 },
  })
  return { ...one, backend }
}

for (const lane of lanes) {
  describe(`a response is whole, ${lane} lane:`, () => {
    for (const [name, ending] of Object.entries(wholeEnds)) {
      test(name, async (t) => {
        const { app, url } = await start(t, lane, ending)
        for (const question of [{}, { method: 'POST', body: 'asked' }]) {
          const answer = await ask(url, question)
          assert.deepEqual([answer.status, answer.body, answer.whole], [200, 'body', true])
        }
        await until('it has ended', () => app.balancer.exchanges === 0)
        const { outcomes, inFlight } = app.balancer.backend('one')
        assert.deepEqual([outcomes, inFlight], [{ ok: 2 }, 0])
      })
    }

    test('END_STREAM with the headers', async (t) => {
      const { url } = await start(t, lane, (stream) => [[headers(stream, ok, endStream)]])
      const answer = await ask(url)
      assert.deepEqual([answer.status, answer.body, answer.whole], [200, '', true])
    })

    test('HEAD, 204 and 304 have no body, whatever their length says', async (t) => {
      for (const [method, status] of [
        ['HEAD', '200'],
        ['GET', '304'],
      ] as const) {
        const fields = { ':status': status, 'content-length': '400' }
        const { url } = await start(t, lane, (stream) => [[headers(stream, fields, endStream)]])
        const answer = await ask(url, { method })
        assert.deepEqual([answer.status, answer.body, answer.whole], [Number(status), '', true])
      }
    })

    test('it came before the upload had ended, and RST_STREAM asked to stop that', async (t) => {
      for (const code of [codes.noError, codes.cancel, undefined]) {
        const backend = await startFrameBackend(t, {
          onRequest: (connection, stream) => {
            const whole = [headers(stream, ok), data(stream, 'body', endStream)]
            connection.write(...whole, ...(code === undefined ? [] : [reset(stream, code)]))
          },
        })
        const { app, url } = await startApp(t, {
          backends: [{ url: backend.url, id: 'one' }],
          pool: { protocol: 'h2c' },
          lane,
        })
        const outgoing = request(url, { method: 'POST', agent: false, headers: { 'content-length': '1000000' } })
        outgoing.on('error', () => {})
        outgoing.write('a beginning')
        const body = await new Promise<string>((resolve, reject) => {
          outgoing.on('response', (incoming) => {
            let text = ''
            incoming.on('data', (chunk: Buffer) => (text += chunk.toString()))
            incoming.on('end', () => resolve(text))
            incoming.on('error', reject)
          })
        })
        assert.equal(body, 'body')
        outgoing.destroy()
        await until('it has ended', () => app.balancer.exchanges === 0)
        assert.deepEqual(app.balancer.backend('one').outcomes, { ok: 1 })
        // What was not sent will not be: unless the backend has done it, the stream is reset.
        if (code === undefined) await until('it is reset', () => backend.connections[0]!.resets.size === 1)
      }
    })
  })

  describe(`a response is broken off, ${lane} lane:`, () => {
    for (const [name, ending] of Object.entries(brokenEnds)) {
      test(name, async (t) => {
        const { app, url } = await start(t, lane, ending)
        for (const question of [{}, { method: 'POST', body: 'asked' }]) {
          const answer = await ask(url, question)
          assert.equal(answer.status === 502 || !answer.whole, true)
        }
        await until('it has ended', () => app.balancer.exchanges === 0)
        const { outcomes, inFlight } = app.balancer.backend('one')
        assert.deepEqual([outcomes, inFlight], [{ 'body-truncated': 2 }, 0])
      })
    }

    for (const [name, ending] of Object.entries({
      'RST_STREAM with NO_ERROR': (stream) => [[reset(stream, codes.noError)]],
      'RST_STREAM with CANCEL': (stream) => [[reset(stream, codes.cancel)]],
      'the connection is closed': () => ['fin'],
      'fields that HTTP/2 forbids': (stream) => [
        [headers(stream, { ...ok, 'transfer-encoding': 'chunked' }, endStream)],
      ],
      'END_STREAM with the headers, short of their length': (stream) => [
        [headers(stream, { ...ok, 'content-length': '400' }, endStream)],
      ],
      'no status': (stream) => [[headers(stream, { 'content-type': 'text/plain' }, endStream)]],
    } satisfies Record<string, Ending>)) {
      test(`before its headers: ${name}`, async (t) => {
        const { app, url } = await start(t, lane, ending)
        const answer = await ask(url)
        assert.equal(answer.status, 502)
        await until('it has ended', () => app.balancer.exchanges === 0)
        assert.deepEqual(app.balancer.backend('one').outcomes, { 'reset-before-headers': 1 })
      })
    }
  })
}

test('what is no HTTP/2 breaks a response off', async (t) => {
  const backend = await startFrameBackend(t, {
    onRequest: (connection, stream) =>
      connection.write(head(stream), data(stream, 'body'), Buffer.from('HTTP/1.1 200 OK\r\n\r\n')),
  })
  const { app, url } = await startApp(t, {
    backends: [{ url: backend.url, id: 'one' }],
    pool: { protocol: 'h2c' },
    timeouts: { idle: 1000 },
  })
  assert.equal((await ask(url)).whole, false)
  await until('it has ended', () => app.balancer.exchanges === 0)
  const { outcomes, inFlight } = app.balancer.backend('one')
  // Before 22.22.2, Node does not end a session after such an error (CVE-2026-48937): our limit does.
  const outcome = outcomes['body-timeout'] === 1 ? 'body-timeout' : 'body-truncated'
  assert.deepEqual([outcomes, inFlight], [{ [outcome]: 1 }, 0])
})

test('a stream that is broken off leaves the others on its connection alone', async (t) => {
  const { url, backend } = await start(t, 'raw', (stream) =>
    stream % 4 === 1
      ? [[head(stream), data(stream, 'body')], [reset(stream, codes.noError)]]
      : [[head(stream)], [data(stream, 'body', endStream)]],
  )
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(url)))
  assert.equal(answers.filter(({ whole }) => whole).length, 10)
  assert.equal(backend.connections.length, 1)
  assert.ok(backend.connections[0]!.frames.every(({ type }) => type !== types.goaway))
})
