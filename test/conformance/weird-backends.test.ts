import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { BalancerOptions, RequestRewrite } from '@fastify-balancer/balancer-core'
import { startApp } from '../support/app.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend, type WireConnection, type WireHooks } from './wire-backend.ts'
import { exchange, get, post, wireClient } from './wire-client.ts'
import type { WireMessage } from './wire-message.ts'

failOnCrash()

/** What does not come at all would otherwise be waited for until the backend is given up. */
const timeout = 60_000

/** A backend that is weird to `/weird`, and answers everything else; its Pool has one connection to lose. */
async function start(
  t: TestContext,
  weird: (connection: WireConnection) => void,
  options: BalancerOptions = {},
  hooks: WireHooks = {},
) {
  const backend = await startWireBackend(
    t,
    (request, connection) => (request.start.includes('/weird') ? weird(connection) : connection.send(ok('after'))),
    hooks,
  )
  const { app, port } = await startApp(t, { backends: [backend.url], pool: { connections: 1 }, ...options })
  const only = app.balancer.backends[0]!
  return {
    backend,
    port,
    only,
    balancer: app.balancer,
    /** The one connection is still there, carries requests, and brings back what belongs to them. */
    async assertUnharmed() {
      await until('nothing is in flight', () => only.inFlight === 0 && app.balancer.exchanges === 0)
      for (let count = 0; count < 2; count++) {
        const response = await exchange(t, port, post('hello'))
        assert.equal(response.status, 200)
        assert.equal(response.body, 'after')
      }
      assert.equal(backend.requests.filter(({ start: line }) => line.startsWith('POST')).length, 2)
      await until('nothing is in flight', () => only.inFlight === 0)
    },
  }
}

function codeOf({ body }: WireMessage): unknown {
  return (JSON.parse(body) as { code: unknown }).code
}

const head = 'HTTP/1.1 200 OK\r\n'
const body = 'content-length: 2\r\n\r\nok'
const controls = Array.from({ length: 32 }, (_, code) => String.fromCodePoint(code))
  .concat('\x7f')
  .filter((character) => character !== '\t')

/** None of these is a response that could be passed on. */
const invalid: Record<string, string> = {
  garbage: 'garbage\r\n\r\n',
  'a null byte': '\0',
  'bytes of TLS': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'bytes of HTTP/2': '\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64',
  'a greeting of SMTP': '220 mail.example ESMTP\r\n',
  'a greeting of SSH': 'SSH-2.0-OpenSSH_9.6\r\n',
  'a response of a radio': `ICY 200 OK\r\n${body}`,
  'a request': 'GET / HTTP/1.1\r\nhost: a.example\r\n\r\n',
  'a version in lower case': `http/1.1 200 OK\r\n${body}`,
  'no version': `200 OK\r\n${body}`,
  'no status': `HTTP/1.1 OK\r\n${body}`,
  'lines that end with a bare line feed': head.replace('\r', '') + body.replaceAll('\r', ''),
  'content-length twice': `${head}content-length: 2\r\n${body}`,
  'two values of content-length': `${head}content-length: 3\r\n${body}`,
  'content-length: 2, 2': `${head}content-length: 2, 2\r\n\r\nok`,
  'content-length: -2': `${head}content-length: -2\r\n\r\nok`,
  'content-length: +2': `${head}content-length: +2\r\n\r\nok`,
  'content-length: 0x2': `${head}content-length: 0x2\r\n\r\nok`,
  'content-length: two': `${head}content-length: two\r\n\r\nok`,
  'content-length with nothing in it': `${head}content-length:\r\n\r\nok`,
  'content-length beyond 64 bits': `${head}content-length: 99999999999999999999999\r\n\r\nok`,
  'content-length and transfer-encoding': `${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  'transfer-encoding and content-length': `${head}transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  // Without its coding, which is not passed on, the body would be taken for what it is not.
  'transfer-encoding: gzip, chunked': `${head}transfer-encoding: gzip, chunked\r\n\r\n2\r\n\x1f\x8b\r\n0\r\n\r\n`,
  'a field without a name': `${head}: x\r\n${body}`,
  'a field without a colon': `${head}x\r\n${body}`,
  'a space in the name of a field': `${head}x y: z\r\n${body}`,
  'a space before the colon': `${head}x : y\r\n${body}`,
  'a field on two lines': `${head}x: y\r\n z\r\n${body}`,
  'a bare carriage return in a field': `${head}x: y\rz: 1\r\n${body}`,
  'a switch of protocol that nobody asked for': `HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n`,
  ...Object.fromEntries(
    controls.map((control) => [
      `the control character ${JSON.stringify(control)} in a field`,
      `${head}x: a${control}b\r\n${body}`,
    ]),
  ),
}

/** Larger than `pool.maxHeaderSize` by default: nobody's fault. */
const large: Record<string, string> = {
  'a field of 70 000 characters': `${head}x: ${'y'.repeat(70_000)}\r\n${body}`,
  'fields of 80 000 characters together': `${head}${'x: 3456789\r\n'.repeat(10_000)}${body}`,
  'a name of 70 000 characters': `${head}${'x'.repeat(70_000)}: y\r\n${body}`,
}

/** These are odd, and right. */
const valid: Record<string, string> = {
  'empty lines before it': `\r\n\r\n${head}${body}`,
  'no reason phrase': `HTTP/1.1 200\r\n${body}`,
  'another minor version': `HTTP/1.0 200 OK\r\n${body}`,
  'extensions of chunks': `${head}transfer-encoding: chunked\r\n\r\n1;a=b;c="d"\r\no\r\n1;e\r\nk\r\n0;f=g\r\n\r\n`,
  'chunk sizes in upper case, with zeros in front': `${head}Transfer-Encoding: Chunked\r\n\r\n0001\r\no\r\n01\r\nk\r\n000\r\n\r\n`,
  'chunks of a byte': `${head}transfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n`,
  'content-length with zeros in front': `${head}content-length: 0002\r\n\r\nok`,
  'white space around values': `${head}x: \t y \t\r\n${body}`,
  '200 fields': `${head}${Array.from({ length: 200 }, (_, index) => `x${index}: y\r\n`).join('')}${body}`,
  'a field of 14 000 characters': `${head}x: ${'y'.repeat(14_000)}\r\n${body}`,
  'a field of 60 000 characters': `${head}x: ${'y'.repeat(60_000)}\r\n${body}`,
  'fields of 60 000 characters together': `${head}${'x: 3456789\r\n'.repeat(6000)}${body}`,
}

for (const lane of ['raw', 'full'] as const) {
  describe(`a response that is none becomes 502 (${lane} lane)`, () => {
    for (const [name, answer] of Object.entries(invalid)) {
      test(name, { timeout }, async (t) => {
        const { port, only, assertUnharmed } = await start(t, (connection) => connection.send(answer), { lane })
        const response = await exchange(t, port, get('/weird'))
        assert.equal(response.status, 502)
        assert.equal(codeOf(response), 'FST_BALANCER_BAD_RESPONSE')
        assert.deepEqual(only.outcomes, { 'bad-response': 1 })
        await assertUnharmed()
      })
    }
  })

  describe(`a response whose header is too large becomes 502, and nobody is blamed (${lane} lane)`, () => {
    for (const [name, answer] of Object.entries(large)) {
      test(name, { timeout }, async (t) => {
        const { port, only, assertUnharmed } = await start(t, (connection) => connection.send(answer), { lane })
        const response = await exchange(t, port, get('/weird'))
        assert.equal(response.status, 502)
        assert.equal(codeOf(response), 'FST_BALANCER_RESPONSE_HEADER_TOO_LARGE')
        assert.deepEqual(only.outcomes, { 'response-header-too-large': 1 })
        assert.equal(only.penalty, 0)
        await assertUnharmed()
      })

      test(`${name} is passed on where \`pool.maxHeaderSize\` allows it`, { timeout }, async (t) => {
        const { port } = await start(t, (connection) => connection.send(answer), {
          lane,
          pool: { maxHeaderSize: 100_000 },
        })
        const response = await exchange(t, port, get('/weird'))
        assert.equal(response.status, 200)
        assert.equal(response.body, 'ok')
      })
    }

    test('it is not asked of another', { timeout }, async (t) => {
      const backends = await Promise.all([1, 2].map(() => startWireBackend(t, large['a field of 70 000 characters'])))
      const { port } = await startApp(t, { lane, backends: backends.map(({ url }) => url) })
      assert.equal((await exchange(t, port, get())).status, 502)
      assert.equal(backends[0]!.requests.length + backends[1]!.requests.length, 1)
    })
  })

  describe(`a response that is odd is passed on (${lane} lane)`, () => {
    for (const [name, answer] of Object.entries(valid)) {
      test(name, { timeout }, async (t) => {
        const { port, assertUnharmed } = await start(t, (connection) => connection.send(answer), { lane })
        const response = await exchange(t, port, get('/weird'))
        assert.equal(response.status, 200)
        assert.equal(response.body, 'ok')
        await assertUnharmed()
      })
    }

    for (const [name, answer] of Object.entries({
      'with a length': `${head}${body}`,
      'in chunks': valid['extensions of chunks']!,
    })) {
      test(`byte by byte, ${name}`, { timeout }, async (t) => {
        const { port, assertUnharmed } = await start(
          t,
          async ({ socket }) => {
            for (const byte of answer) await new Promise((resolve) => socket.write(byte, 'latin1', resolve))
          },
          { lane },
        )
        const response = await exchange(t, port, get('/weird'))
        assert.equal(response.status, 200)
        assert.equal(response.body, 'ok')
        await assertUnharmed()
      })
    }
  })

  describe(`no response is a failure (${lane} lane)`, () => {
    test('nothing at all', { timeout }, async (t) => {
      const { port, assertUnharmed } = await start(t, () => {}, { lane, timeouts: { headers: 50 } })
      const response = await exchange(t, port, get('/weird'))
      assert.equal(response.status, 504)
      assert.equal(codeOf(response), 'FST_BALANCER_HEADERS_TIMEOUT')
      await assertUnharmed()
    })
    const beginnings = {
      'empty lines': '\r\n\r\n',
      'half a status line': 'HTTP/1.1 2',
      'half a head': `${head}x: y\r\n`,
    }
    for (const [name, answer] of Object.entries(beginnings)) {
      test(`${name}, and no more`, { timeout }, async (t) => {
        const weird = (connection: WireConnection) => connection.send(answer)
        const { port, assertUnharmed } = await start(t, weird, { lane, timeouts: { headers: 50 } })
        const response = await exchange(t, port, get('/weird'))
        assert.equal(response.status, 504)
        assert.equal(codeOf(response), 'FST_BALANCER_HEADERS_TIMEOUT')
        await assertUnharmed()
      })
      test(`${name}, and closed`, { timeout }, async (t) => {
        const { port, assertUnharmed } = await start(t, ({ socket }) => void socket.end(answer), { lane })
        assert.equal((await exchange(t, port, get('/weird'))).status, 502)
        await assertUnharmed()
      })
    }
    const losses: Record<string, (connection: WireConnection) => void> = {
      closed: ({ socket }) => void socket.end(),
      reset: ({ socket }) => void socket.resetAndDestroy(),
    }
    for (const [name, lose] of Object.entries(losses)) {
      test(name, { timeout }, async (t) => {
        const { port, assertUnharmed } = await start(t, lose, { lane })
        const response = await exchange(t, port, get('/weird'))
        assert.equal(response.status, 502)
        assert.equal(codeOf(response), 'FST_BALANCER_RESET_BEFORE_HEADERS')
        await assertUnharmed()
      })
    }
    test('every connection is closed as soon as it is accepted', { timeout }, async (t) => {
      const { port, backend, only } = await start(
        t,
        () => {},
        { lane },
        { onConnection: ({ socket }) => void socket.destroy() },
      )
      for (let count = 1; count <= 3; count++) {
        assert.equal((await exchange(t, port, get('/weird'))).status, 502)
        await until('nothing is in flight', () => only.inFlight === 0)
      }
      // It was not tried over and over.
      assert.ok(backend.connections.length <= 6, `${backend.connections.length} connections`)
    })
  })

  describe(`what a backend says beside its response is not heard (${lane} lane)`, () => {
    const poison = `${head}content-length: 6\r\n\r\npoison`
    for (const [name, extra] of Object.entries({
      bytes: 'xyz',
      'a line': '\r\n',
      'another response': poison,
      'another 1xx': 'HTTP/1.1 103 X\r\nlink: </poison>; rel=preload\r\n\r\n',
      'half a response': poison.slice(0, 20),
    })) {
      test(`${name} after the body, at once`, { timeout }, async (t) => {
        const { port, assertUnharmed } = await start(t, (connection) => connection.send(ok('weird') + extra), { lane })
        assert.equal((await exchange(t, port, get('/weird'))).body, 'weird')
        await assertUnharmed()
      })

      test(`${name} after the body, in chunks`, { timeout }, async (t) => {
        const answer = `${head}transfer-encoding: chunked\r\n\r\n5\r\nweird\r\n0\r\n\r\n`
        const { port, assertUnharmed } = await start(t, (connection) => connection.send(answer + extra), { lane })
        assert.equal((await exchange(t, port, get('/weird'))).body, 'weird')
        await assertUnharmed()
      })

      test(`${name} while nothing was asked`, { timeout }, async (t) => {
        const { backend, port, only, assertUnharmed } = await start(t, (connection) => connection.send(ok('weird')), {
          lane,
        })
        assert.equal((await exchange(t, port, get('/weird'))).body, 'weird')
        const [connection] = backend.connections
        await new Promise((resolve) => connection!.socket.write(extra, 'latin1', resolve))
        await assertUnharmed()
        assert.deepEqual(only.outcomes, { ok: 3 })
      })
    }

    test('a farewell while nothing was asked', { timeout }, async (t) => {
      const { backend, port, assertUnharmed } = await start(t, (connection) => connection.send(ok('weird')), { lane })
      assert.equal((await exchange(t, port, get('/weird'))).body, 'weird')
      const { socket } = backend.connections[0]!
      socket.end('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      await until('it is closed', () => socket.closed)
      await assertUnharmed()
    })
  })

  test(`chunks that claim to be huge, or have long extensions, do no harm (${lane} lane)`, { timeout }, async (t) => {
    const chunks = {
      'a chunk of 8 EiB': '7fffffffffffffff\r\npart',
      'a chunk of 4 GiB': '100000000\r\npart',
      'an extension of 1 MiB': `4;${'x'.repeat(1024 * 1024)}\r\npart`,
      'a size with 10 000 zeros': `${'0'.repeat(10_000)}4\r\npart`,
      'trailers of 1 MiB': `4\r\npart\r\n0\r\n${'x-t: 3456789\r\n'.repeat(80_000)}`,
    }
    for (const [name, chunk] of Object.entries(chunks)) {
      await t.test(name, async (t) => {
        const answer = `${head}transfer-encoding: chunked\r\n\r\n${chunk}`
        const { port, assertUnharmed } = await start(t, ({ socket }) => void socket.end(answer, 'latin1'), { lane })
        const client = await wireClient(t, port)
        client.send(get('/weird'))
        const response = await client.response().catch((error: Error) => error)
        if (response instanceof Error) assert.match(response.message, /closed in the midst of a response/)
        else assert.equal(response.status, 502)
        await assertUnharmed()
      })
    }
  })
}

describe('a request that undici refuses costs no connection', () => {
  const spoiled: Record<string, (out: Parameters<RequestRewrite>[0]['out']) => void> = {
    'an expectation': ({ headers }) => void (headers.expect = '100-continue'),
    'a field of the connection': ({ headers }) => void (headers['keep-alive'] = 'timeout=5'),
    'a transfer-encoding': ({ headers }) => void (headers['transfer-encoding'] = 'chunked'),
    'an upgrade': ({ headers }) => void (headers.upgrade = 'websocket'),
    'a Connection that is none': ({ headers }) => void (headers.connection = 'a b'),
    'a name with a space': ({ headers }) => void (headers['x y'] = 'z'),
    'a name with a line break': ({ headers }) => void (headers['x\r\ny'] = 'z'),
    'no name': ({ headers }) => void (headers[''] = 'z'),
    'a value with a line break': ({ headers }) => void (headers['x'] = 'y\r\nx-smuggled: 1'),
    'a value with a line feed': ({ headers }) => void (headers['x'] = 'y\nx-smuggled: 1'),
    'a value with a null byte': ({ headers }) => void (headers['x'] = 'y\0z'),
    'a value beyond latin1': ({ headers }) => void (headers['x'] = '\u{1f600}'),
    'two hosts': ({ headers }) => void (headers.host = ['a.example', 'b.example']),
    'a host with a line break': ({ headers }) => void (headers.host = 'a.example\r\nx-smuggled: 1'),
    'a length that is none': ({ headers }) => void (headers['content-length'] = 'two'),
    'two lengths': ({ headers }) => void (headers['content-length'] = ['2', '2']),
    'a length that is not that of the body': ({ headers }) => void (headers['content-length'] = '99'),
    'a method that is none': (out) => void (out.method = 'G ET'),
    'a method with a line break': (out) => void (out.method = 'GET / HTTP/1.1\r\nx-smuggled: 1\r\n\r\nGET'),
  }
  for (const [name, spoil] of Object.entries(spoiled)) {
    for (const warm of [false, true]) {
      test(`${name}, ${warm ? 'while a connection is there' : 'before there is one'}`, { timeout }, async (t) => {
        const rewrite: BalancerOptions['rewrite'] = {
          request: ({ in: { url }, out }) => {
            if (url === '/weird') spoil(out)
          },
        }
        const { backend, port, only, assertUnharmed } = await start(t, () => {}, { rewrite })
        if (warm) assert.equal((await exchange(t, port, get('/before'))).body, 'after')
        const { ok: answered = 0 } = only.outcomes
        for (let count = 1; count <= 3; count++) {
          const response = await exchange(t, port, post('ok').replace('POST /', 'POST /weird'))
          assert.equal(response.status, 502)
          assert.equal(codeOf(response), 'FST_BALANCER_REQUEST_REFUSED')
        }
        assert.deepEqual(only.outcomes, { ...(warm && { ok: answered }), 'request-refused': 3 })
        assert.doesNotMatch(backend.received, /weird|smuggled/)
        await assertUnharmed()
        assert.equal(backend.connections.length, 1)
      })
    }
  }

  test('nor does one whose path a hook has spoiled', { timeout }, async (t) => {
    for (const path of [
      '',
      'x',
      '*',
      '/x y',
      '/x#y',
      '/\r\nx-smuggled: 1',
      '/\0',
      'http://b.example/',
      '//b.example/\n',
    ]) {
      await t.test(JSON.stringify(path), async (t) => {
        const rewrite: BalancerOptions['rewrite'] = {
          request: ({ in: { url }, out }) => {
            if (url === '/weird') out.path = path
          },
        }
        const { backend, port, assertUnharmed } = await start(t, () => {}, { rewrite })
        // The hook is the app's, and so is its mistake.
        assert.equal((await exchange(t, port, get('/weird'))).status, 500)
        assert.equal(backend.connections.length, 0)
        await assertUnharmed()
      })
    }
  })

  test('even under load', { timeout }, async (t) => {
    const rewrite: BalancerOptions['rewrite'] = {
      request: ({ in: { url }, out }) => {
        if (url === '/weird') out.headers.expect = '100-continue'
      },
    }
    const options = { rewrite, pool: { connections: 4 }, timeouts: { queue: 0 } }
    const { only, port, balancer, assertUnharmed } = await start(t, () => {}, options)
    const responses = await Promise.all(
      Array.from({ length: 60 }, (_, index) => exchange(t, port, get(index % 3 === 0 ? '/weird' : '/good'))),
    )
    assert.deepEqual(
      responses.map(({ status }) => status),
      Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? 502 : 200)),
    )
    assert.deepEqual(only.outcomes, { 'request-refused': 20, ok: 40 })
    assert.equal(balancer.queue.length, 0)
    await assertUnharmed()
  })
})
