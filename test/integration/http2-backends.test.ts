import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import {
  constants,
  createSecureServer,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
} from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { listen, readAll } from '../support/backend.ts'
import { elsewhere, localhost } from '../support/certificates.ts'
import { until } from '../support/until.ts'

type Listener = (incoming: Http2ServerRequest, response: Http2ServerResponse) => void
type Protocol = 'h2c' | 'http2'

/** A backend that speaks HTTP/2, in clear or over TLS. */
async function startHttp2Backend(t: TestContext, protocol: Protocol, listener: Listener, certificate = localhost) {
  const received: Http2ServerRequest[] = []
  const sessions = new Set<Http2Session>()
  let opened = 0
  const answer: Listener = (incoming, response) => {
    received.push(incoming)
    listener(incoming, response)
  }
  const server =
    protocol === 'h2c' ? createServer(answer) : createSecureServer({ ...certificate, allowHTTP1: false }, answer)
  server.on('session', (session) => {
    opened++
    sessions.add(session)
    session.on('error', () => {})
    session.on('close', () => sessions.delete(session))
  })
  const origin = await listen(server)
  t.after(async () => {
    for (const session of sessions) session.destroy()
    await new Promise<void>((resolve) => void server.close(() => resolve()))
  })
  return {
    url: protocol === 'h2c' ? origin : origin.replace('http://127.0.0.1', 'https://localhost'),
    received,
    sessions,
    /** Connections ever opened. */
    get opened() {
      return opened
    },
  }
}

function start(t: TestContext, protocol: Protocol, url: string, options: BalancerOptions = {}) {
  return startApp(t, {
    backends: [{ url, id: 'one' }],
    pool: { protocol, tls: protocol === 'http2' ? { ca: localhost.cert } : {} },
    failureHeader: true,
    ...options,
  })
}

const digest = (body: Buffer) => createHash('sha256').update(body).digest('hex')

const echo: Listener = (incoming, response) => {
  void readAll(incoming).then((body) => {
    const { method, url, headers, httpVersion } = incoming
    response.setHeader('content-type', 'application/json')
    response.setHeader('set-cookie', ['a=1', 'b=2'])
    response.end(JSON.stringify({ method, url, authority: headers[':authority'], headers, httpVersion, body }))
  })
}

for (const protocol of ['h2c', 'http2'] as const) {
  for (const lane of ['raw', 'full'] as const) {
    test(`plain requests, with and without a body: ${protocol}, ${lane} lane`, async (t) => {
      const backend = await startHttp2Backend(t, protocol, echo)
      const { app, url } = await start(t, protocol, backend.url, { lane })
      const got = await ask(`${url}/path?a=b%20c`, { headers: { host: 'front.example', 'x-own': 'kept' } })
      const seen = JSON.parse(got.body) as Record<string, unknown> & { headers: Record<string, string> }
      assert.deepEqual(
        [got.status, seen.method, seen.url, seen.authority, seen.httpVersion, seen.headers['x-own']],
        [200, 'GET', '/path?a=b%20c', 'front.example', '2.0', 'kept'],
      )
      assert.deepEqual(got.headers['set-cookie'], ['a=1', 'b=2'])
      assert.equal(seen.headers.connection, undefined)
      assert.ok(Object.keys(got.headers).every((name) => !name.startsWith(':')))

      const posted = await ask(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"a":1}',
      })
      assert.equal((JSON.parse(posted.body) as { body: string }).body, '{"a":1}')
      const { bytesSent, bytesReceived, outcomes, inFlight } = app.balancer.backend('one')
      assert.deepEqual([bytesSent, bytesReceived, inFlight], [7, got.body.length + posted.body.length, 0])
      assert.deepEqual(outcomes, { ok: 2 })
      assert.equal(backend.opened, 1)
    })

    test(`bodies are streamed both ways: ${protocol}, ${lane} lane`, async (t) => {
      const backend = await startHttp2Backend(t, protocol, (incoming, response) => {
        incoming.pipe(response)
      })
      const { url } = await start(t, protocol, backend.url, { lane })
      const large = randomBytes(2_000_000)
      const response = await fetch(url, { method: 'POST', body: large })
      assert.equal(digest(Buffer.from(await response.arrayBuffer())), digest(large))

      // The first piece is at the client before the second is sent.
      const body = new Readable({ read() {} })
      body.push('first ')
      const outgoing = request(url, { method: 'POST', agent: false })
      body.pipe(outgoing)
      const first = await new Promise<string>((resolve, reject) => {
        outgoing.on('error', reject)
        outgoing.on('response', (incoming) => {
          incoming.once('data', (chunk: Buffer) => {
            resolve(chunk.toString())
            incoming.resume()
          })
        })
      })
      assert.equal(first, 'first ')
      body.push('second')
      body.push(null)
    })

    test(`responses without a body stay without one: ${protocol}, ${lane} lane`, async (t) => {
      const backend = await startHttp2Backend(t, protocol, (incoming, response) => {
        response.writeHead(Number(incoming.url.slice(1)), { 'x-own': 'kept' }).end()
      })
      const { url } = await start(t, protocol, backend.url, { lane })
      for (const [method, path, status] of [
        ['GET', '/204', 204],
        ['GET', '/304', 304],
        ['HEAD', '/200', 200],
        ['DELETE', '/404', 404],
      ] as const) {
        const answer = await ask(url + path, { method })
        assert.deepEqual(
          [answer.status, answer.body, answer.headers['x-own'], answer.whole],
          [status, '', 'kept', true],
        )
      }
    })

    test(`a client that leaves gives up its stream, and no other: ${protocol}, ${lane} lane`, async (t) => {
      let finish: (() => void) | undefined
      let reset = false
      const backend = await startHttp2Backend(t, protocol, (incoming, response) => {
        if (incoming.url === '/staying') {
          response.write('begun ')
          finish = () => response.end('and ended')
        } else incoming.stream.on('close', () => (reset = true))
      })
      const { app, url } = await start(t, protocol, backend.url, { lane })
      const staying = ask(`${url}/staying`)
      await until('it is under way', () => finish !== undefined)
      const leaving = request(`${url}/leaving`, { agent: false })
        .on('error', () => {})
        .end()
      await until('it is under way, too', () => backend.received.length === 2)
      leaving.destroy()
      await until('its stream is closed', () => reset)
      finish!()
      const answer = await staying
      assert.deepEqual([answer.body, answer.whole], ['begun and ended', true])
      await until('all has ended', () => app.balancer.exchanges === 0)
      assert.deepEqual(app.balancer.backend('one').outcomes, { 'client-gone': 1, ok: 1 })
      assert.equal(backend.opened, 1)
    })

    test(`a stream that is reset is a failure of its own: ${protocol}, ${lane} lane`, async (t) => {
      const backend = await startHttp2Backend(t, protocol, (incoming, response) => {
        if (incoming.url === '/begun') {
          response.write('a beginning')
          setImmediate(() => incoming.stream.close(constants.NGHTTP2_INTERNAL_ERROR))
        } else if (incoming.url === '/whole') response.end('whole')
        else incoming.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      })
      const { app, url } = await start(t, protocol, backend.url, { lane, retry: { attempts: 0 } })
      const before = await ask(`${url}/before`)
      assert.equal(before.status, 502)
      assert.equal(before.headers['x-balancer-failure'], 'reset-before-headers')
      // The connection is as good as before, so it is not to blame for the next one either.
      assert.equal((await ask(`${url}/whole`)).body, 'whole')
      const again = await ask(`${url}/again`)
      assert.deepEqual([again.status, again.headers['x-balancer-failure']], [502, 'reset-before-headers'])
      const begun = await ask(`${url}/begun`)
      assert.ok(begun.status === 502 || !begun.whole)
      await until('all has ended', () => app.balancer.exchanges === 0)
      assert.deepEqual(app.balancer.backend('one').outcomes, { ok: 1, 'reset-before-headers': 2, 'body-truncated': 1 })
      assert.equal(backend.opened, 1)
      assert.equal(app.balancer.backend('one').inFlight, 0)
    })
  }

  test(`many requests at once share one connection: ${protocol}`, async (t) => {
    const held: Http2ServerResponse[] = []
    const backend = await startHttp2Backend(t, protocol, (_incoming, response) => void held.push(response))
    const { url } = await start(t, protocol, backend.url)
    const total = 50
    const answers = Array.from({ length: total }, () => ask(url))
    await until('all of them are under way', () => held.length === total)
    for (const response of held) response.end('done')
    for (const answer of await Promise.all(answers)) assert.equal(answer.body, 'done')
    assert.equal(backend.opened, 1)
  })

  test(`a backend that goes away is connected to again: ${protocol}`, async (t) => {
    const backend = await startHttp2Backend(t, protocol, (_incoming, response) => response.end('here'))
    const { url } = await start(t, protocol, backend.url)
    assert.equal((await ask(url)).body, 'here')
    for (const session of backend.sessions) session.close()
    await until('the connection is closed', () => backend.sessions.size === 0)
    assert.equal((await ask(url)).body, 'here')
    assert.equal(backend.opened, 2)
  })

  test(`a backend that is removed finishes its streams, then its connection is closed: ${protocol}`, async (t) => {
    const held: Http2ServerResponse[] = []
    const backend = await startHttp2Backend(t, protocol, (_incoming, response) => void held.push(response))
    const { app, url } = await start(t, protocol, backend.url)
    const answer = ask(url)
    await until('it is under way', () => held.length === 1)
    await app.balancer.setBackends([], { force: true })
    held[0]!.end('finished')
    assert.equal((await answer).body, 'finished')
    await until('the connection is closed', () => backend.sessions.size === 0)
  })

  test(`limits and failures hold as they do otherwise: ${protocol}`, async (t) => {
    const backend = await startHttp2Backend(t, protocol, (incoming, response) => {
      if (incoming.url === '/begun') response.write('a beginning')
    })
    const { app, url } = await start(t, protocol, backend.url, {
      timeouts: { headers: 100, idle: 100 },
      retry: { attempts: 0 },
    })
    const waited = await ask(url)
    assert.deepEqual([waited.status, waited.headers['x-balancer-failure']], [504, 'headers-timeout'])
    const stopped = await ask(`${url}/begun`)
    assert.deepEqual([stopped.status, stopped.whole], [200, false])
    assert.deepEqual(app.balancer.backend('one').outcomes, { 'headers-timeout': 1, 'body-timeout': 1 })
  })
}

test('HTTP/2 over TLS is verified as anything over TLS is', async (t) => {
  const backend = await startHttp2Backend(t, 'http2', echo, elsewhere)
  const { url } = await start(t, 'http2', backend.url)
  const answer = await ask(url)
  assert.deepEqual([answer.status, answer.headers['x-balancer-failure']], [502, 'tls-certificate-untrusted'])
  assert.equal(backend.received.length, 0)
})

test('a backend that does not speak HTTP/2 is not spoken to', async (t) => {
  let asked = 0
  const server = createTlsServer(localhost, (_incoming, response) => {
    asked++
    response.end('HTTP/1.1')
  })
  const origin = await listen(server)
  t.after(() => void server.close())
  const { url } = await start(t, 'http2', origin.replace('http://127.0.0.1', 'https://localhost'))
  const answer = await ask(url)
  assert.equal(answer.status, 502)
  assert.equal(asked, 0)
})

test('a backend that speaks both is spoken to as the options say', async (t) => {
  const server = createSecureServer({ ...localhost, allowHTTP1: true }, (incoming, response) => {
    response.end(incoming.httpVersion)
  })
  const origin = await listen(server)
  t.after(() => void server.close())
  const backends = [origin.replace('http://127.0.0.1', 'https://localhost')]
  const tls = { ca: localhost.cert }
  const plain = await startApp(t, { backends, pool: { tls } })
  const h2 = await startApp(t, { backends, pool: { tls, protocol: 'http2' } })
  assert.deepEqual([(await ask(plain.url)).body, (await ask(h2.url)).body], ['1.1', '2.0'])
})

test('each backend has its protocol: HTTP/1.1 and HTTP/2 beside each other, and one that changes stays the same backend', async (t) => {
  const server = createSecureServer({ ...localhost, allowHTTP1: true }, (incoming, response) => {
    if (incoming.url === '/held') held.push(response)
    else response.end(incoming.httpVersion)
  })
  const held: Http2ServerResponse[] = []
  const both = (await listen(server)).replace('http://127.0.0.1', 'https://localhost')
  t.after(() => void server.close())
  const clear = await startHttp2Backend(t, 'h2c', (incoming, response) => response.end(`h2c ${incoming.httpVersion}`))
  const backends = [
    { url: both, id: 'both' },
    { url: clear.url, id: 'clear', protocol: 'h2c' as const },
  ]
  const { app, url } = await startApp(t, { backends, pool: { tls: { ca: localhost.cert } } })
  const answers = async () => [(await ask(url)).body, (await ask(url)).body].toSorted()
  assert.deepEqual(await answers(), ['1.1', 'h2c 2.0'])
  const { balancer } = app
  const one = balancer.backend('both')
  const { pool } = one
  await balancer.drain('clear')
  const pending = ask(`${url}/held`)
  await until('it is under way', () => held.length === 1)
  await balancer.update('both', { protocol: 'http2' })
  assert.equal(balancer.backend('both'), one)
  assert.deepEqual([one.pool === pool, one.protocol, one.inFlight, one.requests], [false, 'http2', 1, 2])
  assert.equal((await ask(url)).body, '2.0')
  // What was under way ends where it began.
  held[0]!.end('1.1 to its end')
  assert.equal((await pending).body, '1.1 to its end')
  await until('the former pool is closed', () => pool.destroyed)
  // The same again opens no other pool; its own protocol goes, and that of the pool holds.
  const now = one.pool
  await balancer.update('both', { protocol: 'http2', weight: 3 })
  assert.equal(one.pool, now)
  await balancer.setBackends(backends)
  assert.deepEqual([balancer.backend('both') === one, one.protocol, (await ask(url)).body], [true, 'http1', '1.1'])
  await assert.rejects(
    balancer.update('clear', { protocol: 'http2' }),
    /backends\.1\.url: protocol 'http2' needs https/,
  )
  assert.equal(balancer.backend('clear').protocol, 'h2c')
})

test('the view of a backend says how many streams it allows, and how many are in use', async (t) => {
  const held: Http2ServerResponse[] = []
  const server = createServer(
    { settings: { maxConcurrentStreams: 3 } },
    (_incoming, response) => void held.push(response),
  )
  const backend = await listen(server)
  t.after(() => void server.close())
  const { app, url } = await start(t, 'h2c', backend, {
    pool: { protocol: 'h2c', connections: 1 },
    backends: [{ url: backend, id: 'one', maxInFlight: 8 }],
  })
  const one = app.balancer.backend('one')
  assert.deepEqual(one.toJSON().connections, { open: 0, idle: 0, running: 0, allowed: 0, waiting: 0 })
  const answers = Array.from({ length: 5 }, () => ask(url))
  await until('three are under way', () => held.length === 3 && one.inFlight === 5)
  assert.deepEqual(one.toJSON().connections, { open: 1, idle: 0, running: 3, allowed: 3, waiting: 2 })
  for (let count = 0; count < 5; count++) {
    // oxlint-disable-next-line no-await-in-loop -- one makes room for the next
    await until('it has one', () => held[count] !== undefined)
    held[count]!.end('done')
  }
  for (const { body } of await Promise.all(answers)) assert.equal(body, 'done')
  assert.deepEqual(one.toJSON().connections, { open: 1, idle: 1, running: 0, allowed: 3, waiting: 0 })
})
