import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startApp } from '../support/app.ts'
import { until } from '../support/until.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend } from './wire-backend.ts'
import { exchange, get, wireClient } from './wire-client.ts'
import { valueOf, valuesOf } from './wire-message.ts'

failOnCrash()

/** What does not come at all would otherwise be waited for until the backend is given up. */
const timeout = 60_000
const after = ok('after')

for (const lane of ['raw', 'full'] as const) {
  test(`a reason phrase is not passed on (${lane} lane)`, { timeout }, async (t) => {
    const phrases = {
      none: '',
      'only a space': ' ',
      'another than usual': ' All Good',
      'in latin1': ' \xc7a va tr\xe8s bien',
      'in UTF-8': ' \xc3\x87a va \xe2\x82\xac \xf0\x9f\x98\x80',
      'half a character of UTF-8': ' \xf0\x9f',
      tabs: ' \t\tx\t',
      markup: ' <script>alert(1)</script>',
      long: ` ${'x'.repeat(4000)}`,
    }
    for (const [name, phrase] of Object.entries(phrases)) {
      for (const [status, usual] of Object.entries({ 200: 'OK', 404: 'Not Found' })) {
        await t.test(`${status}, ${name}`, async (t) => {
          const backend = await startWireBackend(t, `HTTP/1.1 ${status}${phrase}\r\ncontent-length: 2\r\n\r\nok`)
          const { port } = await startApp(t, { backends: [backend.url], lane })
          const response = await exchange(t, port, get())
          assert.equal(response.start, `HTTP/1.1 ${status} ${usual}`)
          assert.equal(response.body, 'ok')
        })
      }
    }
  })

  test(`every status from 200 to 599 is passed on (${lane} lane)`, { timeout: 4 * timeout }, async (t) => {
    let status = 0
    const backend = await startWireBackend(t, (_, connection) => {
      const body = status === 204 || status === 304 ? '' : 'content-length: 4\r\n\r\nbody'
      connection.send(`HTTP/1.1 ${status} Phrase\r\nx-a: 1\r\n${body === '' ? '\r\n' : body}`)
    })
    const { app, port } = await startApp(t, { backends: [backend.url], lane })
    const client = await wireClient(t, port)
    for (status = 200; status < 600; status++) {
      client.send(get())
      const response = await client.response()
      assert.equal(response.status, status)
      assert.equal(valueOf(response, 'x-a'), '1')
      assert.equal(response.body, status === 204 || status === 304 ? '' : 'body', `${status}`)
    }
    assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 400 })
    assert.equal(backend.connections.length, 1)
  })

  describe(`a response that has no body (${lane} lane)`, () => {
    interface Case {
      readonly method?: string
      readonly answer: string
      /** Whether the backend said no more than it may, so that its connection is good for another request. */
      readonly honest: boolean
      readonly length?: string
    }
    const cases: Record<string, Case> = {
      '204': { answer: '204 X\r\n\r\n', honest: true },
      '204 with content-length: 0': { answer: '204 X\r\ncontent-length: 0\r\n\r\n', honest: true },
      '204 with a length and a body': { answer: '204 X\r\ncontent-length: 5\r\n\r\nhello', honest: false },
      '204 with a body in chunks': {
        answer: '204 X\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
        honest: false,
      },
      '204 with trailers announced': { answer: '204 X\r\ntrailer: x-t\r\n\r\n', honest: true },
      '304': { answer: '304 X\r\netag: "x"\r\n\r\n', honest: true },
      '304 with the length that 200 would have': {
        answer: '304 X\r\ncontent-length: 5\r\n\r\n',
        honest: false,
        length: '5',
      },
      '304 with a length and a body': { answer: '304 X\r\ncontent-length: 5\r\n\r\nhello', honest: false, length: '5' },
      '304 with a body in chunks': {
        answer: '304 X\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
        honest: false,
      },
      '200 with content-length: 0': { answer: '200 X\r\ncontent-length: 0\r\n\r\n', honest: true, length: '0' },
      '205 with content-length: 0': { answer: '205 X\r\ncontent-length: 0\r\n\r\n', honest: true, length: '0' },
      '500 with content-length: 0': { answer: '500 X\r\ncontent-length: 0\r\n\r\n', honest: true, length: '0' },
      'HEAD with a length': {
        method: 'HEAD',
        answer: '200 X\r\ncontent-length: 100000\r\n\r\n',
        honest: true,
        length: '100000',
      },
      'HEAD with content-length: 0': {
        method: 'HEAD',
        answer: '200 X\r\ncontent-length: 0\r\n\r\n',
        honest: true,
        length: '0',
      },
      'HEAD of 404 with a length': {
        method: 'HEAD',
        answer: '404 X\r\ncontent-length: 9\r\n\r\n',
        honest: true,
        length: '9',
      },
      // Its end might be that of the connection, for all that undici knows.
      'HEAD without a length': { method: 'HEAD', answer: '200 X\r\n\r\n', honest: false },
      'HEAD without a length, kept alive': {
        method: 'HEAD',
        answer: '200 X\r\nconnection: keep-alive\r\n\r\n',
        honest: true,
      },
      'HEAD in chunks': { method: 'HEAD', answer: '200 X\r\ntransfer-encoding: chunked\r\n\r\n', honest: true },
      'HEAD of 204': { method: 'HEAD', answer: '204 X\r\n\r\n', honest: true },
      'HEAD of 304': { method: 'HEAD', answer: '304 X\r\ncontent-length: 5\r\n\r\n', honest: true, length: '5' },
      'HEAD with trailers announced': {
        method: 'HEAD',
        answer: '200 X\r\ntrailer: x-t\r\ntransfer-encoding: chunked\r\n\r\n',
        honest: true,
      },
      'HEAD with a body': {
        method: 'HEAD',
        answer: '200 X\r\ncontent-length: 5\r\n\r\nhello',
        honest: false,
        length: '5',
      },
      'HEAD with a response for a body': {
        method: 'HEAD',
        answer: `200 X\r\ncontent-length: ${ok('poison').length}\r\n\r\n${ok('poison')}`,
        honest: false,
        length: String(ok('poison').length),
      },
    }
    for (const [name, { method = 'GET', answer, honest, length }] of Object.entries(cases)) {
      test(name, { timeout }, async (t) => {
        const backend = await startWireBackend(t, (_, connection) =>
          connection.send(connection.requests === 1 && connection.number === 1 ? `HTTP/1.1 ${answer}` : after),
        )
        const { app, port } = await startApp(t, { backends: [backend.url], lane, pool: { connections: 1 } })
        const client = await wireClient(t, port)
        client.send(`${method} / HTTP/1.1\r\nhost: a.example\r\n\r\n`)
        const response = await client.response({ bodyless: method === 'HEAD' })
        assert.equal(response.status, Number(answer.slice(0, 3)))
        assert.equal(valueOf(response, 'content-length'), length)
        assert.deepEqual(valuesOf(response, 'trailer'), [])
        if (method !== 'HEAD') assert.deepEqual(valuesOf(response, 'transfer-encoding'), [])
        assert.equal(response.body, '')

        // The client's connection carries the next, which is answered with its own response.
        client.send(get('/after'))
        assert.equal((await client.response()).body, 'after')
        assert.equal(client.rest, '')
        assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 2 })
        // The first connection after HEAD is watched for a body for a while; what comes meanwhile gets another.
        if (honest) assert.equal(backend.connections.length, method === 'HEAD' ? 2 : 1)
      })
    }
  })

  describe(`trailers (${lane} lane)`, () => {
    const chunked = (head: string, trailers: string) =>
      `HTTP/1.1 200 OK\r\n${head}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n${trailers}\r\n`
    const cases: Record<string, [answer: string, trailers: [string, string][]]> = {
      announced: [chunked('trailer: x-t\r\n', 'x-t: 1\r\n'), [['x-t', '1']]],
      'not announced': [chunked('', 'x-t: 1\r\n'), [['x-t', '1']]],
      several: [
        chunked('', 'x-t: 1\r\nx-u: 2\r\nx-t: 3\r\n'),
        [
          ['x-t', '1'],
          ['x-t', '3'],
          ['x-u', '2'],
        ],
      ],
      'in latin1': [chunked('', 'x-t: caf\xe9\r\n'), [['x-t', 'caf\xe9']]],
      none: [chunked('trailer: x-t\r\n', ''), []],
      'of framing and of the connection, which go no further': [
        chunked('', 'transfer-encoding: chunked\r\nconnection: close\r\nkeep-alive: timeout=1\r\nx-t: 1\r\n'),
        [['x-t', '1']],
      ],
      'named like what every object has': [
        chunked('', '__proto__: 1\r\nconstructor: 2\r\n'),
        [
          ['__proto__', '1'],
          ['constructor', '2'],
        ],
      ],
    }
    for (const [name, [answer, trailers]] of Object.entries(cases)) {
      // A body that is there at once, and one that is not.
      const split = answer.indexOf('hello')
      for (const pieces of [[answer], [answer.slice(0, split), answer.slice(split)]]) {
        test(`${name}, ${pieces.length === 1 ? 'all at once' : 'in two pieces'}`, { timeout }, async (t) => {
          const backend = await startWireBackend(t, (_, connection) => connection.send(pieces[0]!))
          const { app, port } = await startApp(t, { backends: [backend.url], lane })
          const responded = new Promise<void>((resolve) => {
            app.balancer.addHook('onAttemptResponse', () => setImmediate(resolve))
          })
          const client = await wireClient(t, port)
          client.send(get('/', 'te: trailers'))
          await responded
          for (const piece of pieces.slice(1)) backend.connections[0]!.send(piece)
          const response = await client.response()
          assert.equal(response.body, 'hello')
          assert.equal(response.framing, 'chunked')
          assert.deepEqual(response.trailers, trailers)
        })
      }
    }

    test('announced beside content-length do no harm', { timeout }, async (t) => {
      const backend = await startWireBackend(t, ok('hello', 'trailer: x-t'))
      const { port } = await startApp(t, { backends: [backend.url], lane })
      const response = await exchange(t, port, get())
      assert.equal(response.body, 'hello')
      assert.deepEqual(valuesOf(response, 'trailer'), [])
    })

    test('are not sent to an HTTP/1.0 client, to whom they would be body', { timeout }, async (t) => {
      const backend = await startWireBackend(t, cases.announced![0])
      const { port } = await startApp(t, { backends: [backend.url], lane })
      const client = await wireClient(t, port)
      client.send('GET / HTTP/1.0\r\n\r\n')
      await client.closed()
      assert.equal((await client.response()).body, 'hello')
    })
  })

  describe(`a backend that closes after its response (${lane} lane)`, () => {
    const answers = {
      'with content-length and connection: close': ok('hello', 'connection: close'),
      'in chunks with connection: close':
        'HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      'with Connection: Close, Keep-Alive': ok('hello', 'Connection: Close, Keep-Alive'),
      'without saying so': ok('hello'),
      'to end its body': 'HTTP/1.1 200 OK\r\n\r\nhello',
      'to end its body, and says so': 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello',
      'in HTTP/1.0': 'HTTP/1.0 200 OK\r\n\r\nhello',
      'in HTTP/1.0, with content-length': 'HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello',
    }
    for (const [name, answer] of Object.entries(answers)) {
      for (const method of ['GET', 'POST']) {
        test(`${name}, to ${method}`, { timeout }, async (t) => {
          const backend = await startWireBackend(t, (_, { socket }) => socket.end(answer, 'latin1'))
          const { app, port } = await startApp(t, { backends: [backend.url], lane, pool: { connections: 1 } })
          const client = await wireClient(t, port)
          for (let count = 1; count <= 4; count++) {
            client.send(`${method} / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 2\r\n\r\n${count}.`)
            const response = await client.response()
            assert.equal(response.status, 200)
            assert.equal(response.body, 'hello')
            assert.equal(valueOf(response, 'connection'), 'keep-alive')
            const { closed } = backend.connections.at(-1)!.socket
            if (!closed) await until('it has closed', () => backend.connections.at(-1)!.socket.closed)
          }
          assert.deepEqual(app.balancer.backends[0]!.outcomes, { ok: 4 })
          assert.equal(backend.connections.length, 4)
          assert.equal(backend.requests.length, 4)
        })
      }
    }
  })

  test(`HTTP/1.0 with keep-alive is kept alive (${lane} lane)`, { timeout }, async (t) => {
    const backend = await startWireBackend(t, ok('hello', 'connection: keep-alive').replace('HTTP/1.1', 'HTTP/1.0'))
    const { port } = await startApp(t, { backends: [backend.url], lane })
    for (let count = 0; count < 3; count++) assert.equal((await exchange(t, port, get())).body, 'hello')
    assert.equal(backend.connections.length, 1)
  })

  test(`a status that HTTP does not know becomes 502 (${lane} lane)`, { timeout }, async (t) => {
    for (const status of ['600', '700', '999', '099', '000', '042', '20', '2', '1000', '2000', '-200', '2x0', '']) {
      await t.test(JSON.stringify(status), async (t) => {
        const backend = await startWireBackend(t, (_, connection) =>
          connection.send(connection.number === 1 ? `HTTP/1.1 ${status} X\r\ncontent-length: 2\r\n\r\nok` : after),
        )
        const { app, port } = await startApp(t, { backends: [backend.url], lane, pool: { connections: 1 } })
        const response = await exchange(t, port, get())
        assert.equal(response.status, 502)
        assert.equal(JSON.parse(response.body).code, 'FST_BALANCER_BAD_RESPONSE')
        assert.equal((await exchange(t, port, get())).body, 'after')
        assert.deepEqual(app.balancer.backends[0]!.outcomes, { 'bad-response': 1, ok: 1 })
      })
    }
  })
}
