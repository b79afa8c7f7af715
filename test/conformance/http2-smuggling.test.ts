import assert from 'node:assert/strict'
import { METHODS } from 'node:http'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { startRawBackend } from '../support/backend.ts'
import { asking, frameClient } from '../support/frame-client.ts'
import { endHeaders, endStream, fieldBlock, frame, send, startFrameBackend, types } from '../support/http2-frames.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'

failOnCrash()

const { headers, data } = send
const posting = { ...asking, ':method': 'POST' } as const
type Fields = Readonly<Record<string, string>>

/** HTTP/2 frames its fields by lengths, so they could hold what ends a field, or a request, over HTTP/1.1. */
const second = 'a\r\nx-evil: 1\r\n\r\nGET /evil HTTP/1.1\r\nhost: evil\r\n\r\n'
const hostile = [second, 'a\nx-evil: 1', 'a\rx-evil: 1', 'a\0evil', 'a\u007fevil', 'a\u0001evil']
const names = ['x evil', 'x-evil: 1\r\nx', 'x-evil:', 'X-Evil', '', 'x\0evil', 'x(evil', 'x\u00e9evil', 'x-evil\t']

function isWhole(request: string): boolean {
  if (request.includes('\r\ntransfer-encoding: chunked\r\n')) return /\r\n0\r\n(?:.+\r\n)*\r\n$/.test(request)
  const end = request.indexOf('\r\n\r\n')
  return end !== -1 && request.length - end - 4 >= Number(/\r\ncontent-length: (\d+)/.exec(request)?.[1] ?? 0)
}

/** A backend of HTTP/1.1 that keeps every byte. */
async function byteBackend(t: TestContext) {
  let got = ''
  const url = await startRawBackend(t, (socket) => {
    let request = ''
    socket.setEncoding('latin1').on('data', (text: string) => {
      got += text
      request += text
      if (!isWhole(request)) return
      request = ''
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nserved')
    })
  })
  return {
    url,
    /** The bytes since the last call. */
    take() {
      const taken = got
      got = ''
      return taken
    },
  }
}

async function start(t: TestContext) {
  const backend = await byteBackend(t)
  const { port } = await startApp(t, { backends: [backend.url] }, { http2: true } as never)
  const other = await frameClient(t, port)
  let next = -1
  /** What the backend gets of these frames on stream 1, and whether the client gets its answer. */
  async function send1(...frames: readonly Buffer[]) {
    const client = await frameClient(t, port)
    client.write(...frames)
    const hasEnded = () =>
      client.ended ||
      client.frames.some((one) => one.stream === 1 && (one.type === types.reset || (one.type <= 1 && one.bits & 1)))
    await until('it is answered or refused', hasEnded)
    client.socket.destroy()
    // Whatever was on its way has arrived once another client has been served.
    next += 2
    other.ask(next, { ':path': '/other' })
    await other.whole(next)
    const bytes = backend.take()
    const end = bytes.indexOf('GET /other ')
    assert.match(bytes.slice(end), /^GET \/other HTTP\/1\.1\r\n(?:[^\r\n]+\r\n)+\r\n$/)
    return { bytes: bytes.slice(0, end), isServed: client.bodyOf(1) === 'served' }
  }
  return { send1 }
}

const line = (text: string) => JSON.stringify(text.slice(0, 20))

test('nothing in a request over HTTP/2 can add a field, let alone a request, to what a backend gets over HTTP/1.1', async (t) => {
  const { send1 } = await start(t)
  const plain = await send1(headers(1, asking, endStream))
  assert.ok(plain.isServed && plain.bytes.startsWith('GET / HTTP/1.1\r\nhost: a.example\r\n'))
  const upload = await send1(headers(1, posting), data(1, 'body', endStream))
  assert.ok(upload.isServed && upload.bytes.endsWith('\r\n4\r\nbody\r\n0\r\n\r\n'))

  // Node leaves out a field that it does not accept, or refuses the whole request.
  const leftOut: Record<string, readonly [frames: readonly Buffer[], as: string]> = {}
  const also = (what: string, fields: Fields) =>
    (leftOut[what] = [[headers(1, { ...asking, ...fields }, endStream)], plain.bytes])
  for (const value of hostile) {
    for (const name of ['x-name', 'cookie', 'host', 'te']) also(`${name} ${line(value)}`, { [name]: value })
    for (const name of ['content-length', 'transfer-encoding', 'trailer'])
      leftOut[`${name} ${line(value)}`] = [
        [headers(1, { ...posting, [name]: value }), data(1, 'body', endStream)],
        upload.bytes,
      ]
    leftOut[`a trailer ${line(value)}`] = [
      [headers(1, posting), data(1, 'body'), headers(1, { 'x-sum': value }, endStream)],
      upload.bytes,
    ]
  }
  for (const name of names) {
    also(`a name ${line(name)}`, { [name]: 'evil' })
    leftOut[`the name of a trailer ${line(name)}`] = [
      [headers(1, posting), data(1, 'body'), headers(1, { [name]: 'evil' }, endStream)],
      upload.bytes,
    ]
  }
  leftOut['the second of two cookies'] = [
    [frame(types.headers, endHeaders | endStream, 1, Buffer.concat([asking, { cookie: second }].map(fieldBlock)))],
    plain.bytes,
  ]
  for (const [what, [frames, as]] of Object.entries(leftOut))
    // oxlint-disable-next-line no-await-in-loop -- one app, and one case after the other
    await t.test(what, async () => {
      const { bytes, isServed } = await send1(...frames)
      assert.equal(bytes, isServed ? as : '')
    })

  const refused = [
    ...[...hostile, 'a b', ''].flatMap((value) =>
      [':path', ':authority', ':method', ':scheme'].map((name) => [name, value] as const),
    ),
    ...hostile.map((value) => [':path', `/${value}`] as const),
    ...['/a b', '/a#b', 'http://evil/', 'evil', '*', '\t/', '/ HTTP/1.1\r\nhost: evil\r\n\r\n'].map(
      (path) => [':path', path] as const,
    ),
    ...['evil@a', 'a/evil', 'a:evil', 'a evil'].map((authority) => [':authority', authority] as const),
    ...['GET /evil HTTP/1.1\r\nx: 1', 'G(T', 'G T', 'EVIL', 'get', 'PRI'].map((method) => [':method', method] as const),
  ]
  for (const [name, value] of refused)
    // oxlint-disable-next-line no-await-in-loop -- one app, and one case after the other
    await t.test(`${name} ${line(value)}`, async () =>
      assert.deepEqual(await send1(headers(1, { ...asking, [name]: value }, endStream)), {
        bytes: '',
        isServed: false,
      }),
    )
  assert.deepEqual(await send1(headers(1, { ...asking, host: 'evil.example' }, endStream)), {
    bytes: '',
    isServed: false,
  })
})

test('a request on a lower stream than the last reaches no backend', async (t) => {
  const backend = await byteBackend(t)
  const { port } = await startApp(t, { backends: [backend.url] }, { http2: true } as never)
  const client = await frameClient(t, port)
  for (const [stream, path] of [
    [3, '/3'],
    [1, '/1'],
    [3, '/again'],
    [5, '/5'],
  ] as const)
    client.ask(stream, { ':path': path })
  // RFC 9113 §5.1.1 has it end the connection; nghttp2 ignores it, as what a client may have sent before it saw a reset.
  await until('it is ignored or refused', () => client.ended || client.bodyOf(5) === 'served')
  const other = await frameClient(t, port)
  other.ask(1, { ':path': '/other' })
  await other.whole(1)
  const paths = backend
    .take()
    .match(/^GET \S+/gm)!
    .sort()
  assert.deepEqual(
    paths,
    client.ended
      ? paths.filter((path) => path === 'GET /3' || path === 'GET /other')
      : ['GET /3', 'GET /5', 'GET /other'],
  )
})

test('nothing in a response over HTTP/2 can add a field to what a client gets over HTTP/1.1', async (t) => {
  const block = (fields: Fields) => ({ ':status': '200', ...fields })
  let answer: readonly Fields[] = []
  const backend = await startFrameBackend(t, {
    onRequest(connection, stream) {
      const [head = {}, trailers] = answer
      connection.write(headers(stream, block(head)), data(stream, 'served', trailers === undefined ? endStream : 0))
      if (trailers !== undefined) connection.write(headers(stream, trailers, endStream))
    },
  })
  const { port } = await startApp(t, { backends: [backend.url], pool: { protocol: 'h2c' }, retry: { attempts: 0 } })
  async function ask(...fields: readonly Fields[]): Promise<string> {
    answer = fields
    const socket = connect(port, '127.0.0.1')
    let got = ''
    let ended = false
    socket.setEncoding('latin1').on('data', (text: string) => (got += text))
    socket.on('error', () => {}).on('close', () => (ended = true))
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: te, close\r\n\r\n')
    await until('it has ended', () => ended)
    return got.replace(/^date: .*\r\n/im, '')
  }
  const plain = await ask({})
  assert.ok(plain.startsWith('HTTP/1.1 200 OK\r\n') && plain.endsWith('\r\n6\r\nserved\r\n0\r\n\r\n'))
  const cases = [
    ...hostile.flatMap((value) =>
      ['x-name', 'set-cookie'].map((name): [string, Fields[]] => [`${name} ${line(value)}`, [{ [name]: value }]]),
    ),
    ...hostile.map((value): [string, Fields[]] => [`a trailer ${line(value)}`, [{}, { 'x-sum': value }]]),
    ...names.map((name): [string, Fields[]] => [`a name ${line(name)}`, [{ [name]: 'evil' }]]),
  ]
  for (const [what, fields] of cases)
    // oxlint-disable-next-line no-await-in-loop -- one app, and one case after the other
    await t.test(what, async () => {
      const got = await ask(...fields)
      if (got !== plain)
        assert.match(got, /^(?:HTTP\/1\.1 502 |HTTP\/1\.1 200 OK\r\n(?:[^\r\n]+\r\n)+\r\n6\r\nserved\r\n$)/)
      assert.ok(!got.includes('evil'), got)
    })
})

test('each method that Node knows reaches a backend, with and without a body or its type', async (t) => {
  const backend = await byteBackend(t)
  const over1 = await startApp(t, { backends: [backend.url] })
  const over2 = await startApp(t, { backends: [backend.url] }, { http2: true } as never)
  const client = await frameClient(t, over2.port)
  let stream = -1
  for (const method of METHODS.filter((one) => one !== 'CONNECT'))
    // Fastify itself treats those of QUERY in a way of their own.
    for (const type of method === 'QUERY' ? ['', 'application/sql'] : [''])
      for (const body of ['', 'body']) {
        const field = type === '' ? '' : `content-type: ${type}\r\n`
        const socket = connect(over1.port, '127.0.0.1').on('error', () => {})
        let got = ''
        socket.setEncoding('latin1').on('data', (text: string) => (got += text))
        const framing = body === '' ? '\r\n' : `content-length: ${body.length}\r\n\r\n${body}`
        socket.write(`${method} / HTTP/1.1\r\nhost: a\r\n${field}${framing}`)
        // oxlint-disable-next-line no-await-in-loop -- one app, and one case after the other
        await until(`${method} over HTTP/1.1 is answered`, () => got.includes('\r\n\r\n'))
        socket.destroy()
        assert.match(got, /^HTTP\/1\.1 200 /, method)
        stream += 2
        const asked = { ...asking, ':method': method, ...(type !== '' && { 'content-type': type }) }
        if (body === '') client.write(headers(stream, asked, endStream))
        else client.write(headers(stream, asked), data(stream, body, endStream))
        // oxlint-disable-next-line no-await-in-loop -- one app, and one case after the other
        await client.whole(stream)
        const both = backend.take()
        const count = (text: string) => both.split(text).length - 1
        assert.equal(count(`${method} / HTTP/1.1\r\n`), 2, method)
        assert.deepEqual([count('content-type: '), count('body')], [type === '' ? 0 : 2, body === '' ? 0 : 2], method)
      }
})
