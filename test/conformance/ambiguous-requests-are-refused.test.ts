import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { FastifyServerOptions } from 'fastify'
import { startApp } from '../support/app.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { startWireBackend } from './wire-backend.ts'
import { exchange, get, wireClient } from './wire-client.ts'
import { valueOf } from './wire-message.ts'

failOnCrash()

const smuggled = get('/smuggled')
/** What a backend would take for a request of its own if it read the body of this one differently. */
const rest = `0\r\n\r\n${smuggled}`

function framed(...fields: string[]): string {
  return `POST /bad HTTP/1.1\r\nhost: a.example\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n${rest}`
}

/** These pass Node's parser, so that it falls to the balancer to refuse them. */
const judged: Record<string, string> = {
  'transfer-encoding: identity': framed('transfer-encoding: identity'),
  'transfer-encoding: gzip, chunked': framed('transfer-encoding: gzip, chunked'),
  'transfer-encoding: identity, then chunked': framed('transfer-encoding: identity', 'transfer-encoding: chunked'),
  'transfer-encoding: xchunked': framed('transfer-encoding: xchunked'),
  'transfer-encoding: chunkedx': framed('transfer-encoding: chunkedx'),
  'transfer-encoding: chunked;q=1': framed('transfer-encoding: chunked;q=1'),
  'transfer-encoding: "chunked"': framed('transfer-encoding: "chunked"'),
  'transfer-encoding: , chunked': framed('transfer-encoding: , chunked'),
  'transfer-encoding: \\xa0chunked': framed('transfer-encoding: \xa0chunked'),
  'transfer-encoding: chunked\\xa0': framed('transfer-encoding: chunked\xa0'),
  'content-length that no number holds': framed('content-length: 9007199254740993'),
}

/** These are refused by Node's parser already; a test holds it to that. */
const unparsable: Record<string, string> = {
  'transfer-encoding: chunked, chunked': framed('transfer-encoding: chunked, chunked'),
  'transfer-encoding: chunked twice': framed('transfer-encoding: chunked', 'transfer-encoding: chunked'),
  'transfer-encoding: chunked, then identity': framed('transfer-encoding: chunked', 'transfer-encoding: identity'),
  'transfer-encoding: chunked,': framed('transfer-encoding: chunked,'),
  'transfer-encoding: \\x0bchunked': framed('transfer-encoding: \x0bchunked'),
  'transfer-encoding: chunked\\x0b': framed('transfer-encoding: chunked\x0b'),
  'transfer-encoding: \\x0cchunked': framed('transfer-encoding: \x0cchunked'),
  'transfer-encoding with nothing in it': framed('transfer-encoding:'),
  'transfer-encoding with a space before the colon': framed('transfer-encoding : chunked'),
  'transfer-encoding on a line of its own': framed('transfer-encoding:\r\n chunked'),
  'content-length, then transfer-encoding': framed('content-length: 3', 'transfer-encoding: chunked'),
  'transfer-encoding, then content-length': framed('transfer-encoding: chunked', 'content-length: 3'),
  'transfer-encoding and content-length: 0': framed('content-length: 0', 'transfer-encoding: chunked'),
  'transfer-encoding: identity and content-length': framed('transfer-encoding: identity', 'content-length: 5'),
  'content-length twice': framed('content-length: 5', 'content-length: 5'),
  'two values of content-length': framed('content-length: 5', 'content-length: 6'),
  'content-length: 5, 5': framed('content-length: 5, 5'),
  'content-length: -5': framed('content-length: -5'),
  'content-length: +5': framed('content-length: +5'),
  'content-length: 0x5': framed('content-length: 0x5'),
  'content-length: 5.0': framed('content-length: 5.0'),
  'content-length: 5e0': framed('content-length: 5e0'),
  'content-length: 1 5': framed('content-length: 1 5'),
  'content-length: \\x0b5': framed('content-length: \x0b5'),
  'content-length with nothing in it': framed('content-length:'),
  'content-length with a space before the colon': framed('content-length : 5'),
  'content-length beyond 64 bits': framed('content-length: 99999999999999999999999'),
  'lines that end with a bare line feed': `GET /bad HTTP/1.1\nhost: a.example\n\n${smuggled}`,
  'a bare carriage return in a field': framed('x-a: b\rtransfer-encoding: chunked'),
  'a null byte in a field': framed('x-a: b\0c'),
  'a space in the name of a field': framed('x a: b'),
  'a field without a name': framed(': b'),
}

/** Starts a front with a connection to its backend, idle and ready to carry whatever is let through. */
async function startFront(t: TestContext, server?: FastifyServerOptions) {
  const backend = await startWireBackend(t)
  const { app, port } = await startApp(t, { backends: [backend.url] }, server)
  await exchange(t, port, get('/before'))
  return {
    port,
    /** The backend has got nothing but the first request: nothing was even about to be sent. */
    assertUntouched() {
      assert.equal(app.balancer.backends[0]!.requests, 1)
      assert.equal(app.balancer.backends[0]!.inFlight, 0)
      assert.equal(backend.connections.length, 1)
      assert.equal(backend.requests.length, 1)
      assert.match(backend.received, /^GET \/before HTTP\/1\.1\r\n(?:[\w-]+: [^\r]*\r\n)+\r\n$/)
    },
    /** Whatever had been on its way would have come before this. */
    async assertWorking() {
      assert.equal((await exchange(t, port, get('/after'))).status, 200)
      assert.deepEqual(
        backend.requests.map(({ start }) => start),
        ['GET /before HTTP/1.1', 'GET /after HTTP/1.1'],
      )
    },
  }
}

describe('a request that could be read in two ways gets 400, and what follows it on its connection goes nowhere', () => {
  const parsers = [
    { parser: 'the default parser', server: {}, cases: { ...judged, ...unparsable } },
    // Whoever has loosened Node's parser has not asked the balancer to be loose as well.
    { parser: 'a lenient parser', server: { http: { insecureHTTPParser: true } }, cases: judged },
  ]
  for (const { parser, server, cases } of parsers) {
    test(parser, async (t) => {
      for (const [name, bytes] of Object.entries(cases)) {
        await t.test(name, async (t) => {
          const { port, assertUntouched, assertWorking } = await startFront(t, server as FastifyServerOptions)
          const client = await wireClient(t, port)
          client.send(bytes)
          assert.equal((await client.response()).status, 400)
          await client.closed()
          assertUntouched()
          await assertWorking()
        })
      }
    })
  }
})

test('more than one Host gets 400', async (t) => {
  const { port, assertUntouched, assertWorking } = await startFront(t)
  const hosts = {
    'two of them': ['host: a.example', 'host: b.example'],
    'the same twice': ['host: a.example', 'host: a.example'],
    'in different cases': ['Host: a.example', 'HOST: b.example'],
    'one with nothing in it': ['host: a.example', 'host:'],
    none: [],
  }
  for (const [name, fields] of Object.entries(hosts)) {
    for (const target of ['/', 'http://a.example/']) {
      await t.test(`${name}, ${target}`, async (t) => {
        const response = await exchange(t, port, `GET ${target} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`)
        assert.equal(response.status, 400)
        assertUntouched()
      })
    }
  }
  await assertWorking()
})

test('what is refused is answered in the shape of the app, and says nothing of a backend', async (t) => {
  const { port } = await startFront(t)
  const response = await exchange(t, port, framed('transfer-encoding: gzip, chunked'))
  assert.equal(valueOf(response, 'content-type'), 'application/json; charset=utf-8')
  assert.deepEqual(JSON.parse(response.body), {
    statusCode: 400,
    code: 'FST_BALANCER_BAD_REQUEST',
    error: 'Bad Request',
    message: 'The request is malformed',
  })
})

test('a body whose framing turns out to be broken never becomes a whole request', async (t) => {
  const head = 'POST /bad HTTP/1.1\r\nhost: a.example\r\n'
  const broken = {
    'a tab behind chunked': `${head}transfer-encoding: chunked\t\r\n\r\n${rest}`,
    'a chunk size that is no number': `${head}transfer-encoding: chunked\r\n\r\nxyz\r\n${rest}`,
    'a chunk size below zero': `${head}transfer-encoding: chunked\r\n\r\n-1\r\n${rest}`,
    'a chunk size beyond 64 bits': `${head}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n${rest}`,
    'a chunk that runs on': `${head}transfer-encoding: chunked\r\n\r\n1\r\nabc\r\n${rest}`,
    'a content-length among the trailers': `${head}transfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 9\r\n\r\n${smuggled}`,
  }
  for (const [name, bytes] of Object.entries(broken)) {
    await t.test(name, async (t) => {
      const backend = await startWireBackend(t)
      const { app, port } = await startApp(t, { backends: [backend.url] })
      await exchange(t, port, get('/before'))
      const client = await wireClient(t, port)
      client.send(bytes)
      assert.match(await client.closed(), /^HTTP\/1\.1 400 /)
      await until('nothing is in flight', () => app.balancer.backends[0]!.inFlight === 0)
      assert.equal((await exchange(t, port, get('/after'))).status, 200)
      assert.deepEqual(
        backend.requests.map(({ start }) => start),
        ['GET /before HTTP/1.1', 'GET /after HTTP/1.1'],
      )
    })
  }
})

describe('framing that is plain is re-framed, not copied', () => {
  const body = '5\r\nhello\r\n0\r\n\r\n'
  const plain = {
    'transfer-encoding: chunked': `transfer-encoding: chunked\r\n\r\n${body}`,
    'transfer-encoding: CHUNKED': `Transfer-Encoding: CHUNKED\r\n\r\n${body}`,
    'a tab before chunked': `transfer-encoding:\tchunked\r\n\r\n${body}`,
    'chunk extensions': 'transfer-encoding: chunked\r\n\r\n3;a=b;c="d"\r\nhel\r\n2\r\nlo\r\n0;x\r\n\r\n',
    'chunk sizes with zeros in front': 'transfer-encoding: chunked\r\n\r\n0005\r\nhello\r\n000\r\n\r\n',
    'trailers, of which those that must not be are dropped':
      'transfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n5\r\nhello\r\n0\r\nx-t: t\r\nhost: b.example\r\n\r\n',
    'content-length with zeros in front': 'content-length: 0005\r\n\r\nhello',
    'content-length after a tab': 'content-length:\t5\r\n\r\nhello',
    'a field that only looks like one of framing': 'transfer_encoding: chunked\r\ncontent-length: 5\r\n\r\nhello',
  }
  for (const method of ['POST', 'GET', 'DELETE', 'OPTIONS', 'HEAD']) {
    test(method, async (t) => {
      const backend = await startWireBackend(t)
      const { port } = await startApp(t, { backends: [backend.url] })
      for (const [name, message] of Object.entries(plain)) {
        await t.test(name, async (t) => {
          const before = backend.requests.length
          await exchange(t, port, `${method} / HTTP/1.1\r\nhost: a.example\r\n${message}`)
          // The backend reads strictly: whatever does not end where it says throws here.
          assert.equal(backend.requests.length, before + 1)
          const request = backend.requests[before]!
          assert.equal(request.start, `${method} / HTTP/1.1`)
          assert.equal(request.body, 'hello')
          assert.deepEqual(request.trailers, name.startsWith('trailers') ? [['x-t', 't']] : [])
          assert.notEqual(request.framing, 'none')
          if (request.framing === 'length') assert.equal(valueOf(request, 'content-length'), '5')
        })
      }
    })
  }
})
