import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer as createHttp2, createSecureServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { createServer as createTls } from 'node:tls'
import { listen, startBackend, startRawBackend, unusedOrigin } from '../../../../test/support/backend.ts'
import { elsewhere, localhost } from '../../../../test/support/certificates.ts'
import { codes, endStream, send, startFrameBackend } from '../../../../test/support/http2-frames.ts'
import { until } from '../../../../test/support/until.ts'
import { bodyLimit } from '../../src/probe/expectation.ts'
import { ask } from './asking.ts'

/** Long enough that only a probe that hangs reaches it, in tests of anything else. */
const timeout = 60_000

/** Starts any server; answers its port, and the connections that are open. It is stopped when the test ends. */
async function startServer(t: TestContext, server: Server) {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
  })
  server.on('tlsClientError', () => {})
  const { port } = new URL(await listen(server))
  t.after(() => {
    for (const socket of open) socket.destroy()
    return new Promise((resolve) => void server.close(resolve))
  })
  return { port, open }
}

describe('a probe is good', () => {
  test('when the status is below 500, by default', async (t) => {
    let status = 200
    const { url, received } = await startBackend(t, (_request, response) => response.writeHead(status).end())
    for (status of [200, 204, 302, 404, 499]) {
      const { good, received: answer } = await ask(t, url)
      assert.deepEqual([good, answer], [true, `HTTP ${status}`])
    }
    for (status of [500, 503, 599]) {
      const { good, received: answer } = await ask(t, url)
      assert.deepEqual([good, answer], [false, `status ${status} is not expected`])
    }
    assert.equal(received.length, 8, 'and redirects are not followed')
  })

  test('when a server that has no HEAD says so: 501 or 405; but all have GET', async (t) => {
    const noHead: RequestListener = ({ method }, response) => response.writeHead(method === 'GET' ? 200 : 501).end()
    const onlyGet: RequestListener = ({ method }, response) => response.writeHead(method === 'GET' ? 200 : 405).end()
    for (const [listener, status] of [
      [noHead, 501],
      [onlyGet, 405],
    ] as const) {
      const { url } = await startBackend(t, listener)
      for (const method of ['HEAD', 'head', 'OPTIONS']) {
        const { good, received } = await ask(t, url, { method })
        assert.deepEqual([good, received], [true, `HTTP ${status}`], method)
      }
    }
    const { url } = await startBackend(t, (_request, response) => response.writeHead(501).end())
    assert.equal((await ask(t, url, { method: 'GET' })).good, false)
  })

  test('and an explicit expectation is taken literally: 501 and 405 to HEAD too', async (t) => {
    for (const status of [501, 405]) {
      const { url } = await startBackend(t, (_request, response) => response.writeHead(status).end())
      for (const statuses of [['200-399'], [200, 204]])
        assert.equal((await ask(t, url, { expect: { statuses } })).good, false)
      assert.equal((await ask(t, url, { expect: { statuses: [status] } })).good, true)
    }
    const { url } = await startBackend(t, (_request, response) => response.writeHead(501).end())
    assert.equal((await ask(t, url, { expect: { statuses: ['100-499'] } })).good, false)
  })

  test('when the status is one of those given', async (t) => {
    let status = 200
    const { url } = await startBackend(t, (_request, response) => response.writeHead(status).end())
    const expect = { statuses: [204, '301-302'] }
    const good: number[] = []
    for (status of [200, 204, 300, 301, 302, 303]) if ((await ask(t, url, { expect })).good) good.push(status)
    assert.deepEqual(good, [204, 301, 302])
  })

  test('and its report says what was asked, what came, and how long it took', async (t) => {
    const { url } = await startBackend(t)
    const before = Date.now()
    const report = await ask(t, url, { path: '/health?key=geheim', headers: { 'x-key': 'auch-geheim' } })
    assert.ok(report.at >= before && report.at <= Date.now())
    const { connected, responded, took } = report.timings
    assert.ok(connected! > 0 && connected! <= responded! && responded! <= took)
    assert.deepEqual(
      { ...report, at: 0, timings: {} },
      {
        good: true,
        at: 0,
        sent: `HEAD ${url}/health?…`,
        received: 'HTTP 200',
        timings: {},
      },
    )
    assert.doesNotMatch(JSON.stringify(report), /geheim/)
  })
})

test('it sends what the options say, over a connection that it announces to close', async (t) => {
  const { url, received } = await startBackend(t)
  await ask(t, url, {
    method: 'options',
    path: '/health?a=b',
    host: 'a.test',
    headers: { 'X-Key': 'k', 'User-Agent': 'me' },
  })
  await ask(t, url)
  const [first, second] = received
  assert.deepEqual([first!.method, first!.url], ['OPTIONS', '/health?a=b'])
  assert.deepEqual(first!.headers, { host: 'a.test', 'user-agent': 'me', 'x-key': 'k', connection: 'close' })
  assert.deepEqual([second!.method, second!.url], ['HEAD', '/'])
  assert.deepEqual(second!.headers, {
    host: new URL(url).host,
    'user-agent': 'fastify-balancer-health-check',
    connection: 'close',
  })
})

test('each probe has a connection of its own, and leaves none', async (t) => {
  const { url, received, sockets, server } = await startBackend(t)
  let connections = 0
  server.on('connection', () => connections++)
  for (let probe = 0; probe < 3; probe++) assert.equal((await ask(t, url)).good, true)
  assert.deepEqual([received.length, connections], [3, 3])
  await until('all are closed', () => sockets.size === 0)
})

test('another port of the same host', async (t) => {
  const sidecar = await startBackend(t)
  const { port } = new URL(sidecar.url)
  const report = await ask(t, await unusedOrigin(), { port: Number(port) })
  assert.deepEqual([report.good, report.sent], [true, `HEAD ${sidecar.url}/`])
  assert.equal(sidecar.received[0]!.headers.host, `127.0.0.1:${port}`)
})

describe('a probe is bad', () => {
  test('when nobody listens', async (t) => {
    const report = await ask(t, await unusedOrigin())
    assert.deepEqual([report.good, report.received], [false, 'connect ECONNREFUSED'])
    assert.equal(report.timings.connected, undefined)
  })

  test('when the name does not exist', async (t) => {
    const report = await ask(t, 'http://does-not-exist.invalid', { timeout })
    assert.equal(report.good, false)
    assert.match(report.received, /^getaddrinfo (?:ENOTFOUND|EAI_AGAIN)$/)
  })

  test('when a name has several addresses and none listens: with the reason of one', async (t) => {
    const { port } = new URL(await unusedOrigin())
    const report = await ask(t, `http://localhost:${port}`)
    assert.deepEqual([report.good, report.received], [false, 'connect ECONNREFUSED'])
  })

  test('when it does not accept', async (t) => {
    const child = fork(new URL('../../../../test/reliability/stopped-backend.ts', import.meta.url))
    t.after(() => child.kill('SIGKILL'))
    const [port] = (await once(child, 'message')) as [number]
    const filling = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => {}))
    t.after(() => filling.forEach((socket) => socket.destroy()))
    const isConnected = (socket: Socket) => socket.readyState === 'open'
    // Those that have not been answered stay so: the queue of the stopped process is full.
    await until('its queue is full', () => filling.some(isConnected))
    const report = await ask(t, `http://127.0.0.1:${port}`, { timeout: 500 })
    assert.deepEqual([report.good, report.received], [false, 'no connection within 500 ms'])
  })

  test('when it accepts and does not answer', async (t) => {
    const { url, sockets } = await startBackend(t, () => {})
    const report = await ask(t, url, { timeout: 500 })
    assert.deepEqual([report.good, report.received], [false, 'no answer within 500 ms'])
    assert.ok(report.timings.connected !== undefined && report.timings.responded === undefined)
    await until('it is closed', () => sockets.size === 0)
  })

  test('when it stops in the middle of the headers', async (t) => {
    const url = await startRawBackend(t, (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-le'))
    const report = await ask(t, url, { timeout: 500 })
    assert.deepEqual([report.good, report.received], [false, 'no answer within 500 ms'])
  })

  test('when the body that is expected does not come', async (t) => {
    const { url, sockets } = await startBackend(t, (_request, response) => response.writeHead(200).write('r'))
    const report = await ask(t, url, { timeout: 500, method: 'GET', expect: { body: 'ready' } })
    assert.deepEqual([report.good, report.received], [false, 'no end of the body within 500 ms'])
    assert.ok(report.timings.responded !== undefined)
    await until('it is closed', () => sockets.size === 0)
  })

  test('when it answers something that is not HTTP', async (t) => {
    const url = await startRawBackend(t, (socket) => socket.end('220 mail.test ESMTP\r\n'))
    const report = await ask(t, url)
    assert.equal(report.good, false)
    assert.match(report.received, /^Parse Error/)
  })

  test('when it closes, or resets, without an answer', async (t) => {
    const closing = await startRawBackend(t, (socket) => socket.once('data', () => socket.end()))
    assert.deepEqual((await ask(t, closing)).received, 'socket hang up')
    const resetting = await startRawBackend(t, (socket) => socket.once('data', () => socket.resetAndDestroy()))
    assert.deepEqual((await ask(t, resetting)).received, 'read ECONNRESET')
  })

  test('when the body breaks off', async (t) => {
    const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nnot yet '
    const url = await startRawBackend(t, (socket) => socket.once('data', () => socket.end(answer)))
    const report = await ask(t, url, { method: 'GET', expect: { body: 'ready' } })
    assert.deepEqual([report.good, report.received], [false, 'HTTP 200, then aborted'])
  })
})

test('informational answers are not the answer; 101 is one, though not asked for', async (t) => {
  const early = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'
  const url = await startRawBackend(t, (socket) => {
    socket.once('data', () => socket.end(`${early}HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n`))
  })
  assert.equal((await ask(t, url)).received, 'status 503 is not expected')
  const upgrade = 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: a\r\n\r\n'
  const switching = await startRawBackend(t, (socket) => socket.once('data', () => socket.write(upgrade)))
  assert.equal((await ask(t, switching)).received, 'HTTP 101')
  const expect = { statuses: ['200-299'] }
  assert.equal((await ask(t, switching, { expect })).received, 'status 101 is not expected')
  const withBody = await ask(t, switching, { timeout, method: 'GET', expect: { body: 'ready' } })
  assert.equal(withBody.received, 'HTTP 101, but the body is not as expected')
})

describe('the body', () => {
  const found = 'HTTP 200, and the body is as expected'
  const missed = 'HTTP 200, but the body is not as expected'

  for (const [what, body, wanted, answer] of [
    ['holds the string', 'I am ready', 'ready', found],
    ['does not', 'I am not', 'ready', missed],
    ['matches', '{"status":"pass"}', /"status":\s*"(?:pass|warn)"/, found],
    ['does not match', '{"status":"fail"}', /"status":\s*"(?:pass|warn)"/, missed],
    ['is empty', '', 'ready', missed],
    ['holds it at the end of 64 KiB', `${'x'.repeat(bodyLimit - 5)}ready${'x'.repeat(100)}`, 'ready', found],
    ['holds it after 64 KiB', `${'x'.repeat(bodyLimit - 4)}ready`, 'ready', missed],
  ] as const) {
    test(what, async (t) => {
      const { url } = await startBackend(t, (_request, response) => response.end(body))
      const report = await ask(t, url, { method: 'GET', expect: { body: wanted } })
      assert.deepEqual([report.good, report.received], [answer === found, answer])
    })
  }

  test('is as expected as soon as the string is there, though no end is in sight', async (t) => {
    const { url, sockets } = await startBackend(t, (_request, response) => response.write('event: ready\n\n'))
    const report = await ask(t, url, { timeout, method: 'GET', expect: { body: 'ready' } })
    assert.equal(report.received, found)
    await until('it is closed', () => sockets.size === 0)
  })

  test('ends with the connection, where it has no length', async (t) => {
    const url = await startRawBackend(t, (socket) => socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nok')))
    assert.equal((await ask(t, url, { method: 'GET', expect: { body: /^ok$/ } })).received, found)
  })

  for (const expect of [{ body: 'ready' }, { body: /ready/ }, {}]) {
    test(`without end is not read to the end: ${String(expect.body ?? 'nothing expected')}`, async (t) => {
      let sent = 0
      const { url, sockets } = await startBackend(t, (_request, response) => {
        const chunk = Buffer.alloc(16_384, 'x')
        function more(): void {
          while (!response.destroyed && response.write(chunk)) sent += chunk.length
        }
        response.on('drain', more).on('error', () => {})
        more()
      })
      const report = await ask(t, url, { timeout, method: 'GET', expect })
      assert.equal(report.received, expect.body === undefined ? 'HTTP 200' : missed)
      await until('it is closed', () => sockets.size === 0)
      // What lies in the buffers of both sides comes on top of what was read.
      assert.ok(sent < 32 * 2 ** 20, `${sent} bytes were sent`)
    })
  }
})

describe('TLS', () => {
  const start = (t: TestContext, key = localhost) =>
    startServer(
      t,
      createHttps(key, (_request, response) => void response.end()),
    )

  test('a certificate that nobody vouches for is refused', async (t) => {
    const { port, open } = await start(t)
    const report = await ask(t, `https://127.0.0.1:${port}`)
    assert.equal(report.good, false)
    assert.match(report.received, /^self-signed certificate/)
    await until('it is closed', () => open.size === 0)
  })

  test('it is accepted from the authority that the balancer knows', async (t) => {
    const { port, open } = await start(t)
    for (const host of ['127.0.0.1', 'localhost']) {
      const report = await ask(t, `https://${host}:${port}`, {}, { tls: { ca: localhost.cert } })
      assert.deepEqual([report.received, report.sent], ['HTTP 200', `HEAD https://${host}:${port}/`])
    }
    await until('all are closed', () => open.size === 0)
  })

  test('it must be for that name', async (t) => {
    const { port } = await start(t, elsewhere)
    const report = await ask(t, `https://localhost:${port}`, {}, { tls: { ca: elsewhere.cert } })
    assert.equal(report.good, false)
    assert.match(report.received, /^Hostname\/IP does not match/)
  })

  test('unless the balancer does not verify', async (t) => {
    const { port } = await start(t, elsewhere)
    const report = await ask(t, `https://127.0.0.1:${port}`, {}, { tls: { rejectUnauthorized: false } })
    assert.equal(report.received, 'HTTP 200')
  })

  test('the name that the balancer gives is asked for, and no address is sent as a name', async (t) => {
    const names: (string | false | null)[] = []
    const server = createHttps(localhost, (_request, response) => void response.end())
    server.on('secureConnection', (socket) => names.push(socket.servername))
    const { port } = await startServer(t, server)
    const tls = { rejectUnauthorized: false }
    await ask(t, `https://127.0.0.1:${port}`, {}, { tls: { ...tls, servername: 'a.test' } })
    await ask(t, `https://127.0.0.1:${port}`, { host: 'b.test' }, { tls })
    await ask(t, `https://localhost:${port}`, { host: 'b.test' }, { tls })
    assert.deepEqual(names, ['a.test', false, 'localhost'])
  })

  test('a handshake that hangs is no connection', async (t) => {
    const url = await startRawBackend(t, () => {})
    const report = await ask(t, url.replace('http:', 'https:'), { timeout: 100 })
    assert.equal(report.received, 'no connection within 100 ms')
  })

  test('a server in clear text, and options that cannot be used, are a reason and no crash', async (t) => {
    const { url } = await startBackend(t)
    assert.equal((await ask(t, url.replace('http:', 'https:'))).good, false)
    const report = await ask(t, 'https://127.0.0.1:1', {}, { tls: { localAddress: 'nonsense' } })
    assert.equal(report.good, false)
    assert.notEqual(report.received, 'connect ECONNREFUSED')
  })
})

describe('HTTP/2', () => {
  function answering(server: Http2Server) {
    const seen: Record<string, unknown>[] = []
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      stream.on('error', () => {})
      seen.push(Object.fromEntries(Object.entries(headers)))
      if (headers[':path'] === '/hang') return
      if (headers[':path'] === '/reset') return stream.close(0)
      if (headers[':path'] === '/refuse') return stream.close(7)
      if (headers[':path'] === '/broken' || headers[':path'] === '/cut') {
        stream.respond({ ':status': 200 })
        const isCut = headers[':path'] === '/cut'
        stream.write('ready, but', () => (isCut ? stream.session!.destroy() : stream.destroy(new Error('broken'))))
        return undefined
      }
      stream.respond({ ':status': headers[':path'] === '/busy' ? 503 : 200 })
      return stream.end(headers[':method'] === 'HEAD' ? undefined : 'ready')
    })
    server.on('sessionError', () => {})
    return seen
  }

  test('in clear', async (t) => {
    const server = createHttp2()
    const seen = answering(server)
    const { port, open } = await startServer(t, server)
    const url = `http://127.0.0.1:${port}`
    const asked = (given: Parameters<typeof ask>[2]) => ask(t, url, given, { protocol: 'h2c' })
    const first = await asked({ headers: { 'X-Key': 'k', 'User-Agent': 'me' } })
    assert.deepEqual([first.good, first.received, first.sent], [true, 'HTTP 200', `HEAD ${url}/`])
    assert.deepEqual(seen[0], {
      ':method': 'HEAD',
      ':path': '/',
      ':scheme': 'http',
      ':authority': `127.0.0.1:${port}`,
      'user-agent': 'me',
      'x-key': 'k',
    })
    assert.equal((await asked({ path: '/busy', host: 'a.test' })).received, 'status 503 is not expected')
    assert.equal(seen[1]![':authority'], 'a.test')
    const body = { method: 'GET', expect: { body: 'ready' } }
    assert.equal((await asked(body)).received, 'HTTP 200, and the body is as expected')
    for (const path of ['/broken', '/cut']) {
      const report = await asked({ path, timeout, method: 'GET', expect: { body: /ready/ } })
      assert.equal(report.good, false)
      assert.match(report.received, /^HTTP 200, then .*stream/i, path)
    }
    assert.equal((await asked({ path: '/hang', timeout: 500 })).received, 'no answer within 500 ms')
    for (const path of ['/reset', '/refuse']) {
      const report = await asked({ path, timeout })
      assert.equal(report.good, false)
      assert.match(report.received, /stream/i)
    }
    await until('all are closed', () => open.size === 0)
  })

  test('over IPv6', async (t) => {
    const server = createHttp2()
    answering(server)
    const isThere = await new Promise((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(0, '::1', () => resolve(true))
    })
    if (isThere === false) return t.skip('there is no IPv6 here')
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const report = await ask(t, `http://[::1]:${port}`, {}, { protocol: 'h2c' })
    return assert.equal(report.received, 'HTTP 200')
  })

  test('to a backend whose own protocol it is, and not to one that has another', async (t) => {
    const server = createHttp2()
    answering(server)
    const { port } = await startServer(t, server)
    const url = `http://127.0.0.1:${port}`
    assert.equal((await ask(t, url, {}, {}, { protocol: 'h2c' })).received, 'HTTP 200')
    assert.equal((await ask(t, url, {}, { protocol: 'h2c' }, { protocol: 'http1' })).good, false)
  })

  test('an answer is whole when the backend has ended its stream, and not when it has reset it, whatever the code', async (t) => {
    for (const code of [codes.noError, codes.cancel]) {
      for (const isWhole of [true, false]) {
        const { url } = await startFrameBackend(t, {
          onRequest: (connection, stream) =>
            connection.write(
              send.headers(stream, { ':status': '200' }),
              send.data(stream, 'ready', isWhole ? endStream : 0),
              send.reset(stream, code),
            ),
        })
        const report = await ask(t, url, { method: 'GET', expect: { body: /^ready$/ }, timeout }, { protocol: 'h2c' })
        const expected = isWhole ? 'HTTP 200, and the body is as expected' : 'HTTP 200, then the stream was closed'
        assert.equal(report.received.replace(/Stream closed .*/, 'the stream was closed'), expected, `code ${code}`)
      }
    }
  })

  test('a header that HTTP/2 does not know is a reason and no crash', async (t) => {
    const server = createHttp2()
    answering(server)
    const { port, open } = await startServer(t, server)
    const report = await ask(t, `http://127.0.0.1:${port}`, { headers: { 'keep-alive': '5' } }, { protocol: 'h2c' })
    assert.equal(report.good, false)
    assert.match(report.received, /keep-alive/)
    await until('it is closed', () => open.size === 0)
  })

  test('over TLS', async (t) => {
    const server = createSecureServer(localhost)
    answering(server)
    const { port, open } = await startServer(t, server)
    const url = `https://localhost:${port}`
    assert.match((await ask(t, url, {}, { protocol: 'http2' })).received, /^self-signed certificate/)
    const report = await ask(t, url, {}, { protocol: 'http2', tls: { ca: localhost.cert } })
    assert.deepEqual([report.good, report.received], [true, 'HTTP 200'])
    await until('all are closed', () => open.size === 0)
  })

  test('a backend that does not speak it is not well', async (t) => {
    const { port } = await startServer(t, createHttps(localhost))
    const secure = await ask(t, `https://localhost:${port}`, {}, { protocol: 'http2', tls: { ca: localhost.cert } })
    assert.deepEqual([secure.good, secure.timings.connected], [false, undefined])
    const old = await startServer(t, createTls(localhost))
    const report = await ask(t, `https://localhost:${old.port}`, {}, { protocol: 'http2', tls: { ca: localhost.cert } })
    assert.equal(report.received, 'the backend does not speak HTTP/2')
    const { url } = await startBackend(t)
    const clear = await ask(t, url, { timeout }, { protocol: 'h2c' })
    assert.equal(clear.good, false)
    assert.doesNotMatch(clear.received, /within/)
  })

  test('a backend that never says a word', async (t) => {
    const server = createServer((socket) => socket.resume())
    const { port, open } = await startServer(t, server)
    const report = await ask(t, `http://127.0.0.1:${port}`, { timeout: 500 }, { protocol: 'h2c' })
    assert.equal(report.received, 'no answer within 500 ms')
    await until('it is closed', () => open.size === 0)
  })
})
