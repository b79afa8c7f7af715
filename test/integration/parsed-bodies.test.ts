import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { createGunzip, gzipSync } from 'node:zlib'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask, type Answer } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'

interface Echo {
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

async function start(t: TestContext, prepare: (app: FastifyInstance) => unknown = () => {}): Promise<string> {
  const backend = await startBackend(t, (incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString('latin1')
      response.end(JSON.stringify({ headers: incoming.headers, body }))
    })
  })
  const app = Fastify()
  await prepare(app)
  await app.register(balancer, { backends: [backend.url], route: false })
  app.all('/*', (_request, reply) => reply.forward())
  return (await listenApp(t, app)).url
}

const echoed = ({ status, body }: Answer): Echo => {
  assert.equal(status, 200, body)
  return JSON.parse(body) as Echo
}

/** Sends it whole, and in chunks. */
async function both(url: string, type: string, body: string | Buffer, fields = {}): Promise<readonly Echo[]> {
  const headers = { 'content-type': type, ...fields }
  const whole = await ask(url, {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    body,
  })
  const chunks = await ask(url, { method: 'POST', headers: { ...headers, 'transfer-encoding': 'chunked' }, body })
  return [echoed(whole), echoed(chunks)]
}

const utf8 = (text: string) => Buffer.from(text).toString('latin1')

describe('JSON that the app has parsed is the same JSON to the backend', () => {
  const texts = [
    '"{\\"method\\":\\"bad\\"}"',
    '"text"',
    '""',
    '"null"',
    '"\\u00fc\\n"',
    '"ü €"',
    'null',
    'true',
    'false',
    '0',
    '-1.5e3',
    '[]',
    '[1,[null,"a"]]',
    '{}',
    '{"a":{"b":[1,2,3]}}',
    ' \n "spaced" ',
    ' null ',
  ]
  const types = [
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON',
    'application/vnd.api+json',
    'application/problem+json;charset=utf-8',
  ]
  for (const type of types) {
    test(type, async (t) => {
      const url = await start(t, (app) => {
        // Fastify knows the plain one by itself.
        const parser = app.getDefaultJsonParser('error', 'error')
        app.addContentTypeParser(/^application\/[\w.]+\+json/, { parseAs: 'string' }, parser)
      })
      for (const text of texts) {
        for (const { headers, body } of await both(url, type, text)) {
          assert.deepEqual(JSON.parse(Buffer.from(body, 'latin1').toString()), JSON.parse(text), text)
          assert.equal(headers['content-length'], String(body.length))
          assert.equal(headers['transfer-encoding'], undefined)
          assert.equal(headers['content-type']!.toLowerCase(), type.toLowerCase())
        }
      }
    })
  }

  test('a string with bytes that are no UTF-8 does not lose its quotes, though it has grown to their length', async (t) => {
    const url = await start(t)
    // Each such byte becomes three, which makes up for the quotes and backslashes that are gone.
    for (const value of ['\xff', '{"method":"bad","x":"\xff\xff\xff\xff\xff"}']) {
      const packed = Buffer.from(JSON.stringify(value), 'latin1')
      for (const { body } of await both(url, 'application/json', packed))
        assert.equal(body, utf8(JSON.stringify(value.replaceAll('\xff', '\uFFFD'))))
    }
  })

  test('a string that a hook has unpacked does not lose its quotes, though it is as long as what was packed', async (t) => {
    const value = `{"method":"bad","x":"${'a'.repeat(99)}"}`
    const url = await start(t, (app) => {
      app.addHook('preParsing', async (_request, _reply, payload) =>
        // What it has read before it was unpacked, for Fastify to compare with its length.
        Object.assign(payload.pipe(createGunzip()), { receivedEncodedLength: value.length }),
      )
    })
    const packed = gzipSync(JSON.stringify(value), { level: 9 })
    // A name of a file in its head makes up for the difference (RFC 1952 §2.3).
    const missing = value.length - packed.length
    assert.ok(missing > 0)
    packed[3] = 8
    const name = Buffer.from(`${'n'.repeat(missing - 1)}\0`)
    const padded = Buffer.concat([packed.subarray(0, 10), name, packed.subarray(10)])
    const { body } = (await both(url, 'application/json', padded, { 'content-encoding': 'gzip' }))[0]!
    assert.equal(body, JSON.stringify(value))
  })

  test('text that a parser has left as it came is sent so', async (t) => {
    const url = await start(t, (app) => {
      app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body))
    })
    for (const text of texts) {
      const [whole] = await both(url, 'application/json', text)
      assert.equal(whole!.body, utf8(text))
    }
  })
})

test('text is sent as text, whatever is in it', async (t) => {
  const url = await start(t)
  for (const text of ['', '"', 'null', '{"a":1}', 'ü €', 'x'.repeat(100_000)]) {
    for (const { body } of await both(url, 'text/plain; charset=utf-8', text)) assert.equal(body, utf8(text))
  }
})

test('a form that was parsed is the same form, and one that has no one form is refused', async (t) => {
  const url = await start(t, (app) => {
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
      const fields: Record<string, unknown> = {}
      for (const [name, value] of new URLSearchParams(body as string)) {
        const earlier = fields[name]
        fields[name] = earlier === undefined ? value : [earlier, value].flat()
      }
      if (fields['deep'] !== undefined) fields['deep'] = { er: 1 }
      done(null, fields)
    })
  })
  const text = 'a=1&b=%26&b=%C3%BC&c=&d=x%20y'
  for (const { body } of await both(url, 'application/x-www-form-urlencoded; charset=utf-8', text)) {
    assert.deepEqual([...new URLSearchParams(body)], [...new URLSearchParams(text)])
  }
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  assert.equal((await ask(url, { method: 'POST', headers, body: 'deep=1' })).status, 500)
})

test('packed bytes that nobody has unpacked are said to be packed', async (t) => {
  const url = await start(t, (app) => {
    app.addContentTypeParser('application/x', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  })
  const packed = gzipSync('to be packed')
  const [whole] = await both(url, 'application/x', packed, { 'content-encoding': 'gzip' })
  assert.equal(whole!.headers['content-encoding'], 'gzip')
  assert.equal(whole!.body, packed.toString('latin1'))
})

test('a parser that reads a body and leaves nothing is a fault of the app, and nothing is sent', async (t) => {
  let asked = 0
  const url = await start(t, (app) => {
    app.addHook('onRequest', async () => void asked++)
    app.addContentTypeParser('application/x', (_request, payload, done) => {
      payload.resume().on('end', () => done(null, undefined))
    })
  })
  const headers = { 'content-type': 'application/x' }
  const answer = await ask(url, { method: 'POST', headers, body: 'gone' })
  assert.equal(answer.status, 500)
  assert.equal(asked, 1)
  // It is not the client's, whose connection is as good as before.
  assert.match(answer.body, /A parser has read the body/)
})
